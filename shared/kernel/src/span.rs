//! A length of time as definitions write it: ISO 8601, days apart from seconds.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de::Error as _};

/// `P2D`, `PT4H30M`, `P1W`: days and seconds are kept apart, because a day of a calendar is not
/// 86,400 seconds. Years and months are refused: their length depends on when they begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub days: u32,
    pub seconds: u32,
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault =
            || format!("`{text}` is not an ISO 8601 duration such as `P5D`, `PT15M` or `P1DT12H`");
        let rest = text.strip_prefix('P').ok_or_else(fault)?;
        let (date, time) = match rest.split_once('T') {
            Some((_, "")) => return Err(fault()),
            Some((date, time)) => (date, time),
            None => (rest, ""),
        };
        if date.is_empty() && time.is_empty() {
            return Err(fault());
        }
        let mut span = Self::default();
        for (amount, unit) in parts(date).ok_or_else(fault)? {
            let days = match unit {
                'D' => 1,
                'W' => 7,
                'Y' | 'M' => {
                    return Err(format!(
                        "`{text}` counts years or months, whose length varies: say it in days"
                    ));
                }
                _ => return Err(fault()),
            };
            span.days = amount
                .checked_mul(days)
                .and_then(|days| span.days.checked_add(days))
                .ok_or_else(fault)?;
        }
        for (amount, unit) in parts(time).ok_or_else(fault)? {
            let seconds = match unit {
                'H' => 3600,
                'M' => 60,
                'S' => 1,
                _ => return Err(fault()),
            };
            span.seconds = amount
                .checked_mul(seconds)
                .and_then(|seconds| span.seconds.checked_add(seconds))
                .ok_or_else(fault)?;
        }
        Ok(span)
    }
}

/// `4H30M` as its numbers and units, in order.
fn parts(text: &str) -> Option<Vec<(u32, char)>> {
    let mut found = Vec::new();
    let mut digits = String::new();
    for symbol in text.chars() {
        if symbol.is_ascii_digit() {
            digits.push(symbol);
        } else {
            found.push((digits.parse().ok()?, symbol));
            digits.clear();
        }
    }
    digits.is_empty().then_some(found)
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P")?;
        if self.days > 0 {
            write!(f, "{}D", self.days)?;
        }
        if self.seconds > 0 || self.days == 0 {
            let (hours, minutes, seconds) =
                (self.seconds / 3600, self.seconds / 60 % 60, self.seconds % 60);
            f.write_str("T")?;
            if hours > 0 {
                write!(f, "{hours}H")?;
            }
            if minutes > 0 {
                write!(f, "{minutes}M")?;
            }
            if seconds > 0 || (hours == 0 && minutes == 0) {
                write!(f, "{seconds}S")?;
            }
        }
        Ok(())
    }
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(u32, u32), ()>) {
        let found = text.parse::<Span>().map(|span| (span.days, span.seconds)).map_err(drop);
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn days_weeks_and_times_are_read() {
        check("P5D", Ok((5, 0)));
        check("P1W", Ok((7, 0)));
        check("PT4H30M", Ok((0, 16_200)));
        check("P1DT12H", Ok((1, 43_200)));
        check("PT0S", Ok((0, 0)));
    }

    #[test]
    fn what_is_no_duration_or_has_no_fixed_length_is_refused() {
        for text in
            ["", "P", "PT", "5D", "P1M", "P1Y", "PT5", "P-1D", "PT1.5H", "P1DT", "P99999999999D"]
        {
            check(text, Err(()));
        }
    }

    #[test]
    fn a_span_is_printed_as_it_is_read() {
        for text in ["P5D", "PT4H30M", "P1DT12H", "PT0S", "PT1S"] {
            assert_eq!(text.parse::<Span>().map(|span| span.to_string()), Ok(text.to_owned()));
        }
    }
}
