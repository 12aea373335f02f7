//! Takes a stream of server-sent events apart, whatever pieces it comes in.

/// Longer than any event can be; a line without an end must not fill our memory.
const LONGEST: usize = 32 * 1024 * 1024;

/// What has come and is not a whole event yet.
#[derive(Debug, Default)]
pub(super) struct Parser {
    waiting: Vec<u8>,
    next: Arrived,
}

/// One event. Without data it only says where the stream is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arrived {
    /// The number of the entry.
    pub(super) id: Option<i64>,
    /// Its type, where it is none of the journal.
    pub(super) kind: String,
    /// The event.
    pub(super) data: String,
}

/// A line is longer than any event can be.
#[derive(Debug)]
pub(super) struct TooLong;

impl Parser {
    /// Takes a piece, and gives each event that it completes.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<Vec<Arrived>, TooLong> {
        self.waiting.extend_from_slice(piece);
        let mut events = Vec::new();
        while let Some(end) = self.waiting.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.waiting.drain(..=end).collect();
            events.extend(self.line(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n'])));
        }
        if self.waiting.len() + self.next.data.len() > LONGEST { Err(TooLong) } else { Ok(events) }
    }

    fn line(&mut self, line: &str) -> Option<Arrived> {
        if line.is_empty() {
            return Some(std::mem::take(&mut self.next)).filter(|event| *event != Arrived::default());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.next.kind),
            "id" => self.next.id = value.parse().ok(),
            "data" => {
                if !self.next.data.is_empty() {
                    self.next.data.push('\n');
                }
                self.next.data.push_str(value);
            }
            // Comments keep the connection alive.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_whole_whatever_pieces_they_come_in() {
        let stream =
            b": hello\n\nid: 6\n\nid: 7\ndata: {\"a\":\ndata: 1}\n\nid: 8\r\ndata:x\r\n\r\ndata: unfinished";
        for size in 1..stream.len() {
            let mut parser = Parser::default();
            let mut events = Vec::new();
            for piece in stream.chunks(size) {
                events.extend(parser.take(piece).expect("is short"));
            }
            let found: Vec<_> = events.iter().map(|event| (event.id, event.data.as_str())).collect();
            assert_eq!(found, [(Some(6), ""), (Some(7), "{\"a\":\n1}"), (Some(8), "x")], "{size}");
        }
    }
}
