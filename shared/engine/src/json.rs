//! JSON read strictly: what two readers could understand differently is refused.

use std::fmt;

use kernel::{Fault, Refusal, Rule};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Nesting beyond this is refused; no body of ours needs a tenth of it.
const DEPTH_LIMIT: usize = 64;

/// Reads JSON, refusing duplicate keys, nesting over 64 levels, and what is not UTF-8.
///
/// # Errors
/// One fault of the rule `invalid`, with code `malformed_json` and the line and column.
pub fn strict_json(bytes: &[u8]) -> Result<Value, Refusal> {
    let refuse = |message: String| {
        Refusal::new(Rule::Invalid, vec![Fault::new("", "malformed_json", message)])
    };
    let text = std::str::from_utf8(bytes).map_err(|fault| {
        refuse(format!("the body is not UTF-8: byte {} is at fault", fault.valid_up_to()))
    })?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: 0 }
        .deserialize(&mut reader)
        .map_err(|fault| refuse(format!("the body is not JSON: {fault}")))?;
    reader.end().map_err(|fault| refuse(format!("the body is not JSON: {fault}")))?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == DEPTH_LIMIT {
            return Err(E::custom(format_args!("it nests deeper than {DEPTH_LIMIT} levels")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        // PostgreSQL keeps no NUL in text, and nobody means one.
        if value.contains('\0') {
            return Err(E::custom("a string holds the character U+0000"));
        }
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(deeper)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key.contains('\0') {
                return Err(A::Error::custom("a key holds the character U+0000"));
            }
            if map.contains_key(&key) {
                return Err(A::Error::custom(format_args!("the key `{key}` stands twice")));
            }
            let value = entries.next_value_seed(deeper)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> String {
        strict_json(bytes).map_or_else(|refusal| refusal.to_string(), |value| value.to_string())
    }

    #[test]
    fn plain_json_is_read() {
        assert_eq!(
            refused(br#" {"a":[1,-2,2.5,"x",null,true]} "#),
            r#"{"a":[1,-2,2.5,"x",null,true]}"#
        );
    }

    #[test]
    fn what_could_be_read_two_ways_is_refused() {
        for (bytes, part) in [
            (&br#"{"a":1,"a":2}"#[..], "`a` stands twice"),
            (br#"{"a":{"b":1,"b":2}}"#, "`b` stands twice"),
            (br#"{"a":NaN}"#, "line 1"),
            (b"{\"a\":\"\xff\"}", "not UTF-8"),
            (br#"{"a":"\u0000"}"#, "U+0000"),
            (br#"{"a":1} x"#, "trailing"),
            (b"", "EOF"),
            (br#"{"a":1e999}"#, "line 1"),
        ] {
            assert!(refused(bytes).contains(part), "{}", refused(bytes));
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        let deep = "[".repeat(100) + &"]".repeat(100);
        assert!(refused(deep.as_bytes()).contains("deeper than 64"));
    }
}
