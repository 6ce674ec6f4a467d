//! The words of a monitoring tool, read leniently where that loses nothing and never ambiguously.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use chrono::{DateTime, Datelike, Utc};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};

/// Longest title, in characters, as lists show it.
const TITLE_CHARS: usize = 200;
/// Longest description in bytes; the annotations keep the whole.
const DESCRIPTION_BYTES: usize = 16 * 1024;

/// Names to texts. A name given twice is refused, since nobody knows which one counts; `null` is
/// empty, as Go prints an absent map.
#[derive(Debug, Default, PartialEq)]
pub struct Labels(pub BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Labels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_unit<E: Error>(self) -> Result<Labels, E> {
                Ok(Labels::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Labels, A::Error> {
                let mut found = BTreeMap::new();
                while let Some((name, Word(value))) = pairs.next_entry::<String, Word>()? {
                    if found.contains_key(&name) {
                        return Err(A::Error::custom(format!("`{name}` is given twice")));
                    }
                    found.insert(name, value);
                }
                Ok(Labels(found))
            }
        }
        deserializer.deserialize_any(Pairs)
    }
}

/// A text; a number or a truth value is taken as its text.
#[derive(Debug, PartialEq)]
pub struct Word(pub String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;
        impl Visitor<'_> for Scalar {
            type Value = Word;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Word, E> {
                Ok(Word(text.to_owned()))
            }

            fn visit_string<E: Error>(self, text: String) -> Result<Word, E> {
                Ok(Word(text))
            }

            fn visit_bool<E: Error>(self, truth: bool) -> Result<Word, E> {
                Ok(Word(truth.to_string()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Word, E> {
                Ok(Word(number.to_string()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Word, E> {
                Ok(Word(number.to_string()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Word, E> {
                Ok(Word(number.to_string()))
            }
        }
        deserializer.deserialize_any(Scalar)
    }
}

/// An instant as monitoring tools write it: RFC 3339, or with an offset that lacks its colon.
/// What lies before 1970 is the "no time" of several languages, hence `None`.
///
/// # Errors
/// A sentence that quotes what is no instant.
pub fn instant(text: Option<&str>) -> Result<Option<DateTime<Utc>>, String> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let found = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%#z"))
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z"))
        .map_err(|_| format!("`{}` is not an instant", cut(text, 64)))?
        .with_timezone(&Utc);
    match found.year() {
        ..1970 => Ok(None),
        1970..=9999 => Ok(Some(kernel::instant(found))),
        _ => Err(format!("`{}` lies beyond the year 9999", cut(text, 64))),
    }
}

/// A link that is safe to show: a web address, or none.
pub fn web_address(text: Option<String>) -> Option<String> {
    text.filter(|text| text.starts_with("http://") || text.starts_with("https://"))
}

/// One line of at most 200 characters.
pub fn title(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(TITLE_CHARS) {
        None => line,
        Some(_) => line.chars().take(TITLE_CHARS - 1).chain(['…']).collect(),
    }
}

/// At most 16 KiB of it.
pub fn description(text: &str) -> String {
    cut(text, DESCRIPTION_BYTES).to_owned()
}

/// The longest beginning of at most `bytes` that ends between two characters.
pub fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Reads a JSON object into a struct; an array of its fields in order, which serde would take as
/// well, is refused.
///
/// # Errors
/// What is wrong, and at which line and column.
pub fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, String> {
    let first = json.iter().find(|byte| !byte.is_ascii_whitespace());
    if first.is_some_and(|byte| *byte != b'{') {
        return Err("it is no JSON object".to_owned());
    }
    serde_json::from_slice(json).map_err(|error| error.to_string())
}

/// PostgreSQL keeps no NUL in a text, so none may come in.
///
/// # Errors
/// A sentence, when the JSON text escapes one.
pub fn without_nul<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<(), String> {
    if texts.into_iter().any(|text| text.contains('\0')) {
        return Err("a text contains the character U+0000".to_owned());
    }
    Ok(())
}

/// The first of the texts that says something.
pub fn first_said<'a>(texts: impl IntoIterator<Item = Option<&'a String>>) -> Option<&'a str> {
    texts.into_iter().flatten().map(|text| text.trim()).find(|text| !text.is_empty())
}

/// Text of unknown encoding: what is no UTF-8, and NUL, become U+FFFD.
pub fn readable(bytes: &[u8], limit: usize) -> String {
    let start = &bytes[..bytes.len().min(limit)];
    let text: Cow<'_, str> = String::from_utf8_lossy(start);
    cut(&text.replace('\0', "\u{FFFD}"), limit).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<Option<&str>, ()>) {
        let found = instant(Some(text)).map(|at| at.map(|at| at.to_rfc3339())).map_err(drop);
        assert_eq!(found, expected.map(|at| at.map(str::to_owned)), "{text}");
    }

    #[test]
    fn instants_are_read_as_tools_write_them() {
        check("2026-02-06T13:08:45.828Z", Ok(Some("2026-02-06T13:08:45.828+00:00")));
        check("2015-07-17T08:42:58.315+0000", Ok(Some("2015-07-17T08:42:58.315+00:00")));
        check("2015-07-17T10:42:58+0200", Ok(Some("2015-07-17T08:42:58+00:00")));
        check("2015-07-17 10:42:58+02:00", Ok(Some("2015-07-17T08:42:58+00:00")));
        check("2026-02-06T13:08:45.123456789Z", Ok(Some("2026-02-06T13:08:45.123456+00:00")));
    }

    #[test]
    fn the_year_one_and_nothing_are_no_instant() {
        check("0001-01-01T00:00:00Z", Ok(None));
        check("0000-01-01T00:00:00+23:59", Ok(None));
        check("", Ok(None));
        assert_eq!(instant(None), Ok(None));
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in ["yesterday", "2026-02-30T00:00:00Z", "2026-02-06", "9999-12-31T23:59:59-01:00"]
        {
            check(text, Err(()));
        }
    }

    #[test]
    fn titles_are_one_short_line() {
        assert_eq!(title(" disk\n full "), "disk full");
        assert_eq!(title(&"ä".repeat(300)).chars().count(), 200);
        assert_eq!(title(&"ä".repeat(200)), "ä".repeat(200));
    }
}
