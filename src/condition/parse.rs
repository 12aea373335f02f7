//! Rhai's parser, held short: expressions only, every limit set by hand, the length checked before.

use std::ops::Range;
use std::sync::LazyLock;

use rhai::{Engine, EvalAltResult, OptimizationLevel, ParseError, ParseErrorType, Scope, Stmt};

use crate::condition::Fault;
use crate::condition::tree::{ALLOWED, Reader, Term};
use crate::condition::vocabulary::keyword;
use crate::say::Code;

/// Compile time is quadratic in the length, so a longer condition is not even looked at.
const MAX_BYTES: usize = 4096;

/// Deep enough for 60 operands in a row, shallow enough for a small stack.
const MAX_DEPTH: usize = 64;

/// A function that no rule can name, for the tree knows none of it: it has no value for what is no number.
pub(super) const FINITE: &str = "finite";

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
    engine.register_fn(FINITE, |number: i64| number);
    engine.register_fn(FINITE, |number: f64| {
        if number.is_finite() { Ok(number) } else { Err::<f64, Box<EvalAltResult>>("is no number".into()) }
    });
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
            instead: None,
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

/// What Rhai's parser says, in words for somebody who does not know Rhai.
fn syntax(reader: &Reader, error: &ParseError) -> Fault {
    if reader.source.trim().is_empty() {
        return fault(
            Code::ConditionSyntax,
            0..reader.source.len(),
            "the condition is empty".into(),
            EXAMPLE,
        );
    }
    let place = error.position();
    let end = reader.source.trim_end().len();
    let at = if place.is_none() { end } else { reader.byte(place) };
    let at = reader.source.floor_char_boundary(at.min(end.saturating_sub(1)));
    let rest = reader.source.get(at..).unwrap_or_default();
    let letter = rest.chars().next().unwrap_or(' ');
    let span = at..at + letter.len_utf8();
    let word = rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default();
    match error.err_type() {
        ParseErrorType::UnexpectedEOF => {
            fault(Code::ConditionSyntax, span, "the condition ends too early".into(), EXAMPLE)
        }
        ParseErrorType::ExprTooDeep => {
            let message = "the condition is nested too deeply, or has too many operands in a row";
            fault(Code::TooLong, span, message.into(), "split it into several rules; 60 operands are fine")
        }
        _ if !letter.is_ascii() => {
            let message = format!("`{letter}` (U+{:04X}) cannot stand here", u32::from(letter));
            fault(
                Code::ConditionSyntax,
                span,
                message,
                "names are made of a to z, 0 to 9 and `_`; others look like them",
            )
        }
        _ if letter == '=' => {
            let message = "`=` assigns, and a condition only compares";
            fault(Code::ConditionSyntax, span, message.into(), "write `==`")
        }
        _ if keyword(word) => {
            let message = format!("`{word}` is not allowed in a condition");
            fault(Code::NotAllowed, at..at + word.len(), message, ALLOWED)
        }
        other => fault(Code::ConditionSyntax, span, format!("not a Rhai expression: {other}"), EXAMPLE),
    }
}

fn empty(source: &str) -> Fault {
    fault(Code::ConditionSyntax, 0..source.len(), "not a single expression".into(), EXAMPLE)
}

const EXAMPLE: &str = "a condition is one expression, such as `ping.latency_ms > threshold.slow_ms`";

fn fault(code: Code, span: Range<usize>, message: String, help: &str) -> Fault {
    Fault { code, span, message, help: Some(help.into()), instead: None }
}
