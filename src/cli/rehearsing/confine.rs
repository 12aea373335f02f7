//! Who only looks at what was cannot touch what is: the kernel (Landlock) refuses it.
//!
//! SQLite asks for more than a reader needs: it opens a log and its index for writing first, and for reading where that
//! is refused. So on a kernel without Landlock the two are opened for writing beside a running Grace. The log is never
//! written by a connection that only reads; in the index, as every reader of a log does, it marks how far it reads.

use std::io;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetError, Scope,
};

use crate::cli::terminal::failure::Failure;

/// Rhai's recursion is bounded; this leaves room for it many times over.
const STACK: usize = 16 * 1024 * 1024;

/// Runs `work` on a thread that opens nothing for writing, connects nowhere and signals nobody. A kernel that is too old
/// for a part of that leaves the part out: then only the work itself, which has no way to do it, stands for it.
pub(super) fn confined<T: Send>(work: impl FnOnce() -> Result<T, Failure> + Send) -> Result<T, Failure> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("rehearsal".into()).stack_size(STACK);
        let thread = thread
            .spawn_scoped(scope, || {
                restrict().map_err(|why| Failure::Runtime(io::Error::other(why)))?;
                work()
            })
            .map_err(Failure::Runtime)?;
        thread.join().unwrap_or(Err(Failure::Lost))
    })
}

fn restrict() -> Result<(), RulesetError> {
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_write(ABI::V5))?
        .handle_access(AccessNet::from_all(ABI::V4))?
        .scope(Scope::from_all(ABI::V6))?;
    rules.create()?.restrict_self().map(|_| ())
}
