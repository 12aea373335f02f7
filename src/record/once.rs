//! No object may have a key twice: the engine would take its last value and whoever asks by SQL its first, so that the
//! same text would say two things.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// Refuses a text in which an object has a key twice.
pub(super) fn keys(text: &str) -> serde_json::Result<()> {
    let mut from = serde_json::Deserializer::from_str(text);
    Any.deserialize(&mut from)?;
    from.end()
}

/// Texts that follow one another and are mostly the same: only what is new is looked through.
#[derive(Debug, Default)]
pub(super) struct Again(String);

impl Again {
    /// Has no object of this text a key twice?
    pub(super) fn once(&mut self, text: &str) -> bool {
        if self.0 != text {
            if keys(text).is_err() {
                return false;
            }
            text.clone_into(&mut self.0);
        }
        true
    }
}

/// Whatever there is.
struct Any;

impl<'de> DeserializeSeed<'de> for Any {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Any {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything whose keys stand once")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<(), A::Error> {
        while all.next_element_seed(Self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys: Vec<Cow<'de, str>> = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            map.next_value_seed(Self)?;
            keys.push(key);
        }
        // What Grace writes is mostly in order.
        if !keys.is_sorted() {
            keys.sort_unstable();
        }
        match keys.windows(2).find(|two| two.first() == two.last()).and_then(<[_]>::first) {
            Some(twice) => Err(A::Error::custom(format_args!("the key `{twice}` stands there twice"))),
            None => Ok(()),
        }
    }
}

/// A key, as it lies in the text where it needs no other form.
#[derive(Deserialize)]
struct Key<'t>(#[serde(borrow)] Cow<'t, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_found_wherever_it_is() {
        for text in
            ["{}", "1.5", r#"[{"a":1},{"a":1}]"#, r#"{"b":{"a":[]},"a":{"a":null}}"#, r#"{"a":"a","b":true}"#]
        {
            assert!(keys(text).is_ok(), "{text}");
        }
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"b":-1,"a":1,"b":1}"#,
            r#"[{"x":{"b":1,"a":[{"c":0,"c":0}]}}]"#,
            r#"{"a":1,"\u0061":1}"#,
            "{} {}",
        ] {
            assert!(keys(text).is_err(), "{text}");
        }
    }
}
