//! What an expression may give: kinds of values, and how large they get.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde_json::Value;

use crate::DATA_LIMIT_BYTES;

/// A kind of value. Everything may also be null: records have gaps.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Kind {
    /// Nobody can say before it is there.
    #[default]
    Any,
    Null,
    Bool,
    Integer,
    /// An integer or not.
    Number,
    /// One of these words, where there are only so many.
    Text(Option<Arc<[String]>>),
    Instant,
    Duration,
    List(Arc<Bounded>),
    /// Members that are known, and whether there are others.
    Map {
        members: Arc<BTreeMap<String, Bounded>>,
        is_open: bool,
    },
}

/// A kind with the most that a value of it counts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bounded {
    pub kind: Kind,
    /// Bytes of a text, items of a list.
    pub size: u64,
    /// What it holds in all, in bytes.
    pub bytes: u64,
}

/// What a record holds is not larger than all its data.
const DATA: u64 = DATA_LIMIT_BYTES as u64;
/// An item of a list takes this much at least, with its comma.
const ITEM_BYTES: u64 = 2;
/// A number, an instant, a word of ours.
const SCALAR_BYTES: u64 = 8;

impl Bounded {
    pub fn new(kind: Kind) -> Self {
        let size = kind.size();
        let bytes = match &kind {
            Kind::Text(_) => size,
            Kind::Map { is_open: false, members } => {
                let bytes = members.values().map(|member| member.bytes);
                bytes.fold(0, u64::saturating_add).min(DATA)
            }
            Kind::Any | Kind::List(_) | Kind::Map { .. } => DATA,
            _ => SCALAR_BYTES,
        };
        Self { kind, size, bytes }
    }

    /// Something of so many bytes, of which nobody knows what it is.
    pub fn any(bytes: u64) -> Self {
        Self { kind: Kind::Any, size: bytes / ITEM_BYTES, bytes }
    }

    pub fn text(bytes: u64) -> Self {
        Self { kind: Kind::TEXT, size: bytes, bytes }
    }

    /// A list of so many items at most, as a record holds one.
    pub fn list(item: Self, size: u64) -> Self {
        let size = size.min(DATA / ITEM_BYTES);
        let bytes = size.saturating_mul(item.bytes).min(DATA);
        Self { kind: Kind::List(Arc::new(item)), size, bytes }
    }
}

impl Kind {
    pub const TEXT: Self = Self::Text(None);

    /// The kind of what fits a JSON Schema; what the schema leaves open is left open.
    pub fn of_schema(schema: &Value) -> Bounded {
        let most = |word: &str| schema.get(word).and_then(Value::as_u64);
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return Bounded::new(Self::of_values(values));
        }
        if let Some(value) = schema.get("const") {
            return Bounded::new(Self::of_values(std::slice::from_ref(value)));
        }
        let kind = match schema.get("type").and_then(Value::as_str) {
            Some("boolean") => Self::Bool,
            Some("integer") => Self::Integer,
            Some("number") => Self::Number,
            Some("string") => {
                // A character takes four bytes at most.
                let bytes = most("maxLength").map_or(DATA, |most| most.saturating_mul(4));
                return Bounded::text(bytes.min(DATA));
            }
            Some("array") => {
                let items = schema.get("items").map_or(Bounded::new(Self::Any), Self::of_schema);
                return Bounded::list(items, most("maxItems").unwrap_or(DATA));
            }
            Some("object") => {
                let named = schema.get("properties").and_then(Value::as_object);
                let named = named.into_iter().flatten();
                let members = named.map(|(name, schema)| (name.clone(), Self::of_schema(schema)));
                let is_open = schema.get("additionalProperties") != Some(&Value::Bool(false));
                Self::Map { members: Arc::new(members.collect()), is_open }
            }
            _ => Self::Any,
        };
        Bounded::new(kind)
    }

    fn of_values(values: &[Value]) -> Self {
        let words: Option<Arc<[String]>> =
            values.iter().map(|value| value.as_str().map(str::to_owned)).collect();
        if let Some(words) = words {
            return Self::Text(Some(words));
        }
        if values.iter().all(Value::is_i64) { Self::Integer } else { Self::Any }
    }

    /// The most that a value counts where nothing says less.
    fn size(&self) -> u64 {
        match self {
            Self::Null | Self::Bool | Self::Integer | Self::Number => 1,
            Self::Instant | Self::Duration => 1,
            Self::Text(Some(words)) => {
                words.iter().map(|word| word.len() as u64).max().unwrap_or(1)
            }
            Self::Map { is_open: false, members } => members.len() as u64,
            Self::Text(None) => DATA,
            Self::Any | Self::List(_) | Self::Map { .. } => DATA / ITEM_BYTES,
        }
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Integer | Self::Number)
    }

    /// Whether nobody can say that a value of one kind is never one of the other.
    pub fn may_be(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any | Self::Null, _) | (_, Self::Any | Self::Null) => true,
            (Self::Text(_), Self::Text(_))
            | (Self::List(_), Self::List(_))
            | (Self::Map { .. }, Self::Map { .. }) => true,
            (one, other) if one.is_number() => other.is_number(),
            (one, other) => one == other,
        }
    }

    /// What is one or the other.
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Null, kind) | (kind, Self::Null) => kind,
            (Self::Text(Some(one)), Self::Text(Some(other))) => {
                Self::Text(Some(one.iter().chain(other.iter()).cloned().collect()))
            }
            (Self::Text(_), Self::Text(_)) => Self::TEXT,
            (one, other) if one == other => one,
            (one, other) if one.is_number() && other.is_number() => Self::Number,
            _ => Self::Any,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "anything",
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Text(_) => "a text",
            Self::Instant => "an instant",
            Self::Duration => "a duration",
            Self::List(_) => "a list",
            Self::Map { .. } => "a map",
        })
    }
}
