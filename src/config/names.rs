//! What can be a name in a file.

use std::ops::Range;

use crate::condition::reserved;
use crate::config::reader::File;
use crate::say::Code;

/// What people call all components.
const ALL: &str = "all";

/// Is it a name? Names are plain: letters that look like others would make two names look like one.
pub(super) fn check_name(what: &str, name: &str, file: File, span: Range<usize>) -> bool {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && name.len() <= 64;
    let help = if !plain {
        "names begin with a to z and go on with a to z, 0 to 9 and `_`"
    } else if what == "a probe" && reserved(name) {
        "conditions use the word already; take another"
    } else if what == "a component's file" && name == ALL {
        "where a component is named, as in `grace hold all`, it means every one; take another"
    } else {
        return true;
    };
    file.error(Code::BadName, span, format!("`{name}` cannot be the name of {what}"), help);
    false
}
