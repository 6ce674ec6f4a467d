//! Where a follower of the live events stands in each stream.

use std::{collections::BTreeMap, fmt, str::FromStr};

/// Streams that a resumption may name.
const STREAMS: usize = 64;

/// Stream to the sequence of the last event seen: `INCIDENT=1234;CHANGE=7`, the `id` of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position(pub BTreeMap<String, u64>);

impl Position {
    /// Notes that `sequence` of `stream` was seen.
    pub fn advance(&mut self, stream: &str, sequence: u64) {
        match self.0.get_mut(stream) {
            Some(seen) => *seen = sequence.max(*seen),
            None => drop(self.0.insert(stream.to_owned(), sequence)),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (stream, sequence)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ";" };
            write!(f, "{separator}{stream}={sequence}")?;
        }
        Ok(())
    }
}

impl FromStr for Position {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let malformed = || format!("`{text:.80}` is no id of an event of this stream");
        let mut found = BTreeMap::new();
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (stream, sequence) = part.split_once('=').ok_or_else(malformed)?;
            let named = !stream.is_empty()
                && stream.len() <= 64
                && stream
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
            if !named || found.len() == STREAMS {
                return Err(malformed());
            }
            found.insert(stream.to_owned(), sequence.parse().map_err(|_| malformed())?);
        }
        Ok(Self(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_is_written() {
        let mut position = Position::default();
        position.advance("INCIDENT", 12);
        position.advance("CHANGE", 3);
        position.advance("INCIDENT", 11);
        assert_eq!(position.to_string(), "CHANGE=3;INCIDENT=12");
        assert_eq!("CHANGE=3;INCIDENT=12".parse(), Ok(position));
        assert_eq!("".parse(), Ok(Position::default()));
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for text in ["INCIDENT", "INCIDENT=", "=3", "INCIDENT=-1", "a b=1", "INC.>=1", "é=1"] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}
