//! Copies of the working database, for backups.

use std::path::Path;

use crate::components::{Components, FILE};
use crate::store::{self, Progress, StoreError};

use super::tables::SCHEMA;

impl Components {
    /// The working database's file in a data directory.
    pub const FILE: &str = FILE;

    /// Copies the working database of a data directory as it is now, whether Grace runs or not.
    ///
    /// # Errors
    /// When it cannot be read, or there is no room for the copy.
    pub fn copy_database(dir: &Path, to: &Path, told: Progress<'_>) -> Result<(), StoreError> {
        store::copy(&store::open_read(&dir.join(FILE), &SCHEMA)?, to, told)
    }

    /// Checks a working database in a file that nobody writes to, and says its schema's version.
    ///
    /// # Errors
    /// When it is damaged, another database, or made by a newer Grace.
    pub fn prove_database(file: &Path) -> Result<i64, StoreError> {
        let version = store::version(file, &SCHEMA)?;
        store::sound(file)?;
        Ok(version)
    }
}
