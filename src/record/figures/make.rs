//! Figures taken up at a start: folded from the hour's entries, or made anew from all of them.

use crate::figures::Fold;
use crate::record::figures::keep;
use crate::record::figures::keep::Kept;
use crate::record::figures::live::Live;
use crate::record::figures::portion::{catch_up, portion};
use crate::record::{Journal, JournalError, Reader, pen};

/// So many entries are folded while nothing else is written: some ten milliseconds of a small journal.
const AT_ONCE: i64 = 2_000;

/// So many are read in one go while others write.
const BATCH: i64 = 1_000;

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Making {
    /// The entry up to which the figures are made.
    pub made: i64,
    /// The last entry there is.
    pub of: i64,
}

impl Journal {
    /// Takes up the figures where that is quick. Where it is not, [`Journal::make_figures`] has to.
    pub fn take_up_figures(&self) -> Result<bool, JournalError> {
        let mut writer = self.lock();
        let taken_up = writer.transact(self.path(), |transaction| {
            let last = pen::head(transaction)?.0;
            catch_up(transaction, last, AT_ONCE)
        })?;
        let ready = taken_up.is_some();
        if let Some(fold) = taken_up {
            writer.figures = Live::Ready(fold);
        }
        Ok(ready)
    }

    /// Folds the last entries while nobody writes; from here on the writer goes on with it.
    fn finish_figures(&self, mut fold: Box<Fold>, after: i64) -> Result<(), JournalError> {
        let mut writer = self.lock();
        writer.transact(self.path(), |transaction| {
            portion(transaction, &mut fold, (after, i64::MAX))?.1.keep(transaction)
        })?;
        writer.figures = Live::Ready(fold);
        Ok(())
    }

    /// Makes the figures from where they were kept last, or from the first entry on, while others write. `told` hears
    /// how far it is, and says whether to go on.
    pub fn make_figures(
        &self,
        reader: &Reader,
        mut told: impl FnMut(Making) -> bool,
    ) -> Result<(), JournalError> {
        let (mut fold, mut after) = match reader.look(keep::newest)? {
            Kept::Fits(fold, after) => (fold, after),
            Kept::Nothing => (Box::default(), 0),
            Kept::Foreign => {
                self.write_aside(keep::forget)?;
                (Box::default(), 0)
            }
        };
        loop {
            let of = reader.last_seq()?;
            if !told(Making { made: after, of }) {
                return Ok(());
            }
            if of - after <= AT_ONCE {
                return self.finish_figures(fold, after);
            }
            let (last, made) = reader.look(|conn| portion(conn, &mut fold, (after, BATCH)))?;
            if !made.is_empty() {
                self.write_aside(|transaction| made.keep(transaction))?;
            }
            after = last.unwrap_or(after);
        }
    }
}
