//! Which Grace it is.

use std::fmt;

use crate::api::metrics::sheet::Sheet;
use crate::supervisor::Published;

pub(super) fn families(_: &Published, sheet: &mut Sheet<'_>) -> fmt::Result {
    sheet.info("build", "Which Grace this is.", &[("version", env!("CARGO_PKG_VERSION"))])
}
