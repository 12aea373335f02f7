//! The STOP file: looked at again before each effect.

use crate::act::Hands;
use crate::model::Effect;

/// Is the next effect withheld? Where nobody can tell whether the file is there, it is.
pub(super) async fn withholds(hands: &Hands, before: &str) -> Option<Effect> {
    let why = match tokio::fs::try_exists(&hands.stop_file).await {
        Ok(false) => return None,
        Ok(true) => format!("STOP was found before `{before}`"),
        Err(error) => format!("nobody can tell before `{before}` whether there is a STOP file: {error}"),
    };
    Some(Effect::Withheld { why })
}
