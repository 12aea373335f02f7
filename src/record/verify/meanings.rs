//! Which meaning a tick may name: in one life of Grace the meanings do not go down, and a version that came after a
//! meaning decides by no earlier one.
//!
//! Only the first meaning was written down without digests of what came of it. So whoever takes the digests away has to
//! take the meanings away with them, of all ticks, and of every start the version that would not have written so. Of a
//! journal of the first versions that cannot be told: it is counted, and said.

use crate::model::{Meaning, Record};
use crate::record::verify::Damage;

/// Up to this version meanings came without a new one.
const YOUNG: [u64; 3] = [0, 1, 0];

/// By what every later version decides at least.
const SINCE: Meaning = Meaning::SIGNALS;

/// What a tick may name.
#[derive(Debug, Default)]
pub(super) struct Meanings {
    /// At least this one; none behind the beginning of a life.
    least: Option<Meaning>,
}

impl Meanings {
    /// Grace starts, and maybe another version than before: one that was taken back decides as it always did.
    pub(super) fn on(&mut self, record: &Record) {
        if let Record::Started { version, .. } = record {
            self.least = (number(version) > Some(YOUNG)).then_some(SINCE);
        }
    }

    /// A tick names this one.
    pub(super) fn tick(&mut self, meaning: Meaning) -> Result<(), Damage> {
        if self.least.is_some_and(|least| meaning < least) {
            return Err(Damage::Meaning);
        }
        self.least = Some(meaning);
        Ok(())
    }
}

/// What a version says before any suffix; nothing for what is no version.
fn number(version: &str) -> Option<[u64; 3]> {
    let plain = version.split(['-', '+']).next()?;
    let parts: Vec<u64> = plain.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    parts.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(version: &str) -> Record {
        let version = version.into();
        Record::Started {
            version,
            generation: "g".into(),
            process: 1,
            interrupted: Vec::new(),
            meaning: Meaning::FIRST,
        }
    }

    #[test]
    fn a_meaning_goes_down_at_a_start_at_most_and_not_under_what_the_version_knows() {
        for (version, meanings, fits) in [
            ("0.1.0", vec![Meaning::FIRST, Meaning::FIRST, Meaning::EVIDENCE], true),
            ("0.1.0", vec![Meaning::TASKS, Meaning::EVIDENCE], false),
            ("0.1.0", vec![Meaning::EVIDENCE, Meaning::FIRST], false),
            ("0.1.1", vec![Meaning::FIRST], false),
            ("1.0.0-rc.1", vec![Meaning::PEOPLE], false),
            ("0.1.1", vec![SINCE, Meaning::default()], true),
            ("no version", vec![Meaning::FIRST], true),
        ] {
            let mut all = Meanings::default();
            all.tick(Meaning::default()).expect("the first in a journal");
            all.on(&started(version));
            let found = meanings.iter().try_for_each(|meaning| all.tick(*meaning));
            assert_eq!(found, if fits { Ok(()) } else { Err(Damage::Meaning) }, "{version} {meanings:?}");
        }
    }
}
