//! What happened in a long incident is told from its begin on and up to its end; of its middle it is said how much was left
//! out.

use std::collections::VecDeque;

use crate::replay::incident::LeftOut;

/// The first and the last things that happened.
pub(super) struct Ends<T> {
    most: usize,
    first: Vec<T>,
    last: VecDeque<T>,
    left_out: usize,
    /// Entries between the two that nobody read.
    pub(super) unread: i64,
}

impl<T> Ends<T> {
    /// Keeps so many of each.
    pub(super) fn new(most: usize) -> Self {
        Self { most, first: Vec::new(), last: VecDeque::new(), left_out: 0, unread: 0 }
    }

    pub(super) fn push(&mut self, event: T) {
        if self.first.len() < self.most && self.unread == 0 {
            self.first.push(event);
            return;
        }
        self.last.push_back(event);
        if self.last.len() > self.most {
            self.last.pop_front();
            self.left_out += 1;
        }
    }

    /// All of them in order, and what is left out.
    pub(super) fn all(self) -> (Vec<T>, Option<LeftOut>) {
        let (after, things, unread) = (self.first.len(), self.left_out, self.unread);
        let left_out = (things > 0 || unread > 0).then_some(LeftOut { after, things, unread });
        (self.first.into_iter().chain(self.last).collect(), left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(number: i64, unread_behind: Option<i64>) -> (Vec<i64>, Option<LeftOut>) {
        let mut ends = Ends::new(2);
        for seq in 0..number {
            ends.push(seq);
            if unread_behind == Some(seq) {
                ends.unread = 7;
            }
        }
        ends.all()
    }

    #[test]
    fn the_begin_and_the_end_are_told_and_the_middle_is_counted() {
        assert_eq!(told(4, None), (vec![0, 1, 2, 3], None));
        assert_eq!(told(9, None), (vec![0, 1, 7, 8], Some(LeftOut { after: 2, things: 5, unread: 0 })));
        assert_eq!(told(3, Some(0)), (vec![0, 1, 2], Some(LeftOut { after: 1, things: 0, unread: 7 })));
    }
}
