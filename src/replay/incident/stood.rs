//! What stood already when an incident began: holds, silences and blocks keep their effect, and without them nobody sees why
//! nothing was done.

use crate::model::Record;
use crate::record::{Place, Reader};
use crate::replay::incident::IncidentError;

/// What makes something stand, and what ends it.
const PAIRS: [(&str, &str); 3] =
    [("held", "hold_ended"), ("silenced", "silence_ended"), ("blocked", "unblocked")];

/// The entries that made it, the oldest first: of the incident's component, or of all.
pub(super) fn stood(reader: &Reader, place: &Place) -> Result<Vec<(i64, Record)>, IncidentError> {
    let mut found = Vec::new();
    for (made, ended) in PAIRS {
        for of in [Some(place.component.as_str()), None] {
            let Some((seq, body)) = reader.newest_before(place.tick, made, of)? else { continue };
            if reader.newest_before(place.tick, ended, of)?.is_some_and(|(end, _)| end > seq) {
                continue;
            }
            let record = serde_json::from_value(body).map_err(|why| IncidentError::Entry { seq, why })?;
            found.push((seq, record));
        }
    }
    found.sort_by_key(|(seq, _)| *seq);
    Ok(found)
}
