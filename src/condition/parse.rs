//! Rhai's parser, held short: expressions only, every limit set by hand, the length checked before.

use std::sync::LazyLock;

use rhai::{Engine, OptimizationLevel, ParseError, Scope, Stmt};

use crate::condition::Fault;
use crate::condition::tree::{Reader, Term};
use crate::say::Code;

/// Compile time is quadratic in the length, so a longer condition is not even looked at.
const MAX_BYTES: usize = 4096;

/// Deep enough for 60 operands in a row, shallow enough for a small stack.
const MAX_DEPTH: usize = 64;

/// The engine that parses and judges. It is never changed after this, so one serves all threads.
pub(super) static ENGINE: LazyLock<Engine> = LazyLock::new(engine);

fn engine() -> Engine {
    // Raw: no packages, so that no function exists but the operators on built-in types.
    let mut engine = Engine::new_raw();
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_max_expr_depths(MAX_DEPTH);
    engine.set_max_operations(10_000);
    engine.set_max_variables(256);
    engine.set_max_string_size(MAX_BYTES);
    engine.set_max_array_size(16);
    engine.set_max_map_size(16);
    engine.set_allow_looping(false);
    engine.set_allow_if_expression(false);
    engine.set_allow_switch_expression(false);
    engine.set_allow_loop_expressions(false);
    engine.set_allow_statement_expression(false);
    for word in ["eval", "Fn", "print", "debug", "type_of", "is_def_var", "call", "curry"] {
        engine.disable_symbol(word);
    }
    engine.register_fn("-", |number: f64| -number);
    engine.register_fn("-", |number: i64| number.saturating_neg());
    engine
}

/// The tree of a condition.
pub(super) fn parse(source: &str) -> Result<Term, Vec<Fault>> {
    if source.len() > MAX_BYTES {
        return Err(vec![Fault {
            code: Code::TooLong,
            span: 0..source.len().min(80),
            message: format!("the condition has {} bytes; at most {MAX_BYTES} are read", source.len()),
            help: Some("split it into several rules, or move numbers into thresholds".into()),
        }]);
    }
    let reader = Reader { source };
    let ast = ENGINE
        .compile_expression_with_scope(&Scope::new(), source)
        .map_err(|error| vec![syntax(&reader, &error)])?;
    let expr = match ast.statements() {
        [Stmt::Expr(expr)] => expr.as_ref().clone(),
        [Stmt::FnCall(call, place)] => rhai::Expr::FnCall(call.clone(), *place),
        _ => return Err(vec![empty(source)]),
    };
    reader.term(&expr).map_err(|fault| vec![fault])
}

fn syntax(reader: &Reader, error: &ParseError) -> Fault {
    let place = error.position();
    let at = if place.is_none() { reader.source.len() } else { reader.byte(place) };
    let end = reader.source.len();
    let at = at.min(end.saturating_sub(1));
    Fault {
        code: Code::ConditionSyntax,
        span: at..(at + 1).min(end.max(at)),
        message: format!("not a Rhai expression: {}", error.err_type()),
        help: Some("a condition is one expression, such as `ping.latency_ms > threshold.slow_ms`".into()),
    }
}

fn empty(source: &str) -> Fault {
    Fault {
        code: Code::ConditionSyntax,
        span: 0..source.len(),
        message: "not a single expression".into(),
        help: Some("a condition is one expression, such as `ping.latency_ms > threshold.slow_ms`".into()),
    }
}
