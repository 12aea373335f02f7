//! What a rule's condition said in the last readings that count, a bit for each.

use std::fmt;

use serde::de::{self, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The last answers of a condition: a leading one, and behind it a bit for each, the newest last. Written down it is
/// a digit for each: `"001"`, which was true once, just now. Before it was a list of true and false.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Window(u64);

impl Default for Window {
    fn default() -> Self {
        Self(1)
    }
}

impl Window {
    /// So many answers have room. No rule asks for more (`after` and `of` end at 60).
    pub const MOST: u32 = 62;

    /// How many answers there are.
    #[must_use]
    pub fn len(self) -> u32 {
        self.0.ilog2()
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// How many of the newest are true in a row.
    #[must_use]
    pub fn in_a_row(self) -> u32 {
        self.0.trailing_ones().min(self.len())
    }

    /// How many are true.
    #[must_use]
    pub fn count(self) -> u32 {
        self.0.count_ones() - 1
    }

    /// Adds an answer; of the older ones so many stay that there are at most `of`.
    pub(super) fn push(&mut self, said: bool, of: u32) {
        let of = of.min(Self::MOST);
        self.0 = self.0 << 1 | u64::from(said);
        if self.len() > of {
            let lead = 1 << of;
            self.0 = self.0 & (lead - 1) | lead;
        }
    }

    /// Takes the newest answer back.
    pub(super) fn pop(&mut self) {
        if !self.is_empty() {
            self.0 >>= 1;
        }
    }

    /// The answers, the oldest first.
    pub fn answers(self) -> impl Iterator<Item = bool> {
        (0..self.len()).rev().map(move |place| self.0 >> place & 1 == 1)
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.answers()).finish()
    }
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut digits = [b'0'; Self::MOST as usize];
        let mut end = 0;
        for (digit, said) in digits.iter_mut().zip(self.answers()) {
            *digit += u8::from(said);
            end += 1;
        }
        let digits = digits.get(..end).and_then(|digits| std::str::from_utf8(digits).ok());
        to.serialize_str(digits.unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Answers;
        impl<'de> Visitor<'de> for Answers {
            type Value = Window;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("digits 0 and 1, or a list of true and false")
            }

            fn visit_str<E: de::Error>(self, digits: &str) -> Result<Window, E> {
                let mut window = Window::default();
                for digit in digits.bytes() {
                    match digit {
                        b'0' | b'1' => window.push(digit == b'1', Window::MOST),
                        _ => return Err(E::invalid_value(Unexpected::Str(digits), &self)),
                    }
                }
                Ok(window)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Window, A::Error> {
                let mut window = Window::default();
                while let Some(said) = all.next_element()? {
                    window.push(said, Window::MOST);
                }
                Ok(window)
            }
        }
        from.deserialize_any(Answers)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    #[test]
    fn it_says_what_a_list_of_the_last_answers_says() {
        let mut seed = 1_u64;
        for of in [1, 2, 3, 7, 60] {
            let (mut window, mut list) = (Window::default(), VecDeque::new());
            for _ in 0..500 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let said = seed >> 40 & 3 > 0;
                if (seed >> 50).is_multiple_of(8) {
                    window.pop();
                    list.pop_back();
                }
                window.push(said, of);
                list.push_back(said);
                list.drain(..list.len().saturating_sub(of as usize));
                assert_eq!(window.len() as usize, list.len());
                assert_eq!(window.count() as usize, list.iter().filter(|said| **said).count());
                let row = list.iter().rev().take_while(|said| **said).count();
                assert_eq!(window.in_a_row() as usize, row, "{list:?}");
                let digits: String = list.iter().map(|said| if *said { '1' } else { '0' }).collect();
                let (text, before) = (serde_json::to_string(&window), serde_json::to_string(&list));
                assert_eq!(text.as_deref().ok(), Some(format!("\"{digits}\"").as_str()));
                for text in [text, before] {
                    let read = serde_json::from_str::<Window>(&text.expect("serialises"));
                    assert_eq!(read.ok(), Some(window));
                }
            }
        }
    }

    #[test]
    fn nothing_is_taken_back_where_nothing_is() {
        let mut window = Window::default();
        window.pop();
        assert!(window.is_empty() && window.in_a_row() == 0 && window.count() == 0);
        assert_eq!(serde_json::to_string(&window).expect("serialises"), "\"\"");
    }
}
