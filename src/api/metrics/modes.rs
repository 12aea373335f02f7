//! Which mode it is.

use std::fmt;

use crate::api::metrics::sheet::Sheet;
use crate::supervisor::Published;

pub(super) fn families(known: &Published, sheet: &mut Sheet<'_>) -> fmt::Result {
    let now = &known.state.governed.mode;
    let modes = known.bundle.policies.modes.modes.keys();
    sheet.gauge(
        "mode",
        "1 for the current mode, 0 for every other that is declared.",
        modes.map(|mode| ([("mode", mode.as_str())], i64::from(mode == now))),
    )
}
