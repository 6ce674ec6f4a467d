//! A definition as it is written: YAML, unknown keys refused.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::Value;

/// A map that keeps the order of its author and refuses a key that stands twice.
#[derive(Clone, Debug)]
pub struct Ordered<T>(pub Vec<(String, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_unit<E>(self) -> Result<Ordered<T>, E> {
                Ok(Ordered::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<T>, A::Error> {
                let mut entries: Vec<(String, T)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, T>()? {
                    if entries.iter().any(|(known, _)| *known == key) {
                        return Err(A::Error::custom(format_args!("the key `{key}` stands twice")));
                    }
                    entries.push((key, value));
                }
                Ok(Ordered(entries))
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// A word for people: one text, or one a language.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Labels {
    Plain(String),
    Translated(BTreeMap<String, String>),
}

impl Labels {
    /// The English word, else any.
    pub fn english(&self) -> Option<&str> {
        match self {
            Self::Plain(text) => Some(text),
            Self::Translated(texts) => {
                texts.get("en").or_else(|| texts.values().next()).map(String::as_str)
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefinitionSource {
    pub process: String,
    pub collection: String,
    pub number: String,
    pub title: Option<Labels>,
    #[serde(default)]
    pub clauses: Vec<String>,
    #[serde(default)]
    pub roles: Ordered<Option<RoleSource>>,
    pub fields: FieldsSource,
    #[serde(default)]
    pub derive: Ordered<String>,
    #[serde(default)]
    pub audience: Vec<AudienceSource>,
    #[serde(default)]
    pub may: MaySource,
    #[serde(default)]
    pub links: Ordered<String>,
    pub starts: StartsSource,
    #[serde(default)]
    pub opens: Vec<OpensSource>,
    pub states: Ordered<Ordered<TransitionSource>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleSource {
    #[serde(default)]
    pub accountable: bool,
    /// An expression over the record: who it names has the role on that record.
    pub is: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldsSource {
    #[serde(default)]
    pub required: Vec<String>,
    pub properties: Ordered<Value>,
}

/// `new`, or each state that a record may start in with the condition: the first that holds.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum StartsSource {
    Always(String),
    First(Ordered<String>),
}

/// `role:agent`, or `{ group: record.group }`: the token `group:` with the value, if there is one.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum AudienceSource {
    Token(String),
    Of(BTreeMap<String, String>),
}

/// Which roles may do what is no transition; by default every role of the definition.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaySource {
    pub open: Option<Vec<String>>,
    pub amend: Option<Vec<String>>,
    pub comment: Option<Vec<String>>,
    pub link: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpensSource {
    pub on: String,
    pub key: String,
    #[serde(default)]
    pub set: Ordered<String>,
    /// Opens only when this holds of the event.
    pub when: Option<String>,
    /// How the opened record is tied to the event's record.
    pub link: Option<String>,
    /// The key's holder counts as open while this holds of it; by default until a final state.
    #[serde(rename = "while")]
    pub holds_while: Option<String>,
    /// How a new record is tied to the holder before it.
    pub succeeds: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransitionSource {
    pub to: Option<String>,
    pub label: Option<Labels>,
    #[serde(default)]
    pub by: Vec<String>,
    pub when: Option<String>,
    /// What a person reads when `when` does not hold.
    pub because: Option<String>,
    #[serde(default)]
    pub needs: Vec<String>,
    #[serde(default)]
    pub takes: Vec<String>,
    pub after: Option<String>,
    /// An expression over the record: the instant at which it is taken by itself, or null. Asked
    /// anew whenever the record changes.
    pub at: Option<String>,
    pub within: Option<String>,
    pub calendar: Option<String>,
    pub on: Option<OneOrMany<OnSource>>,
    #[serde(default)]
    pub set: Ordered<String>,
    pub says: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    pub fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(item) => vec![item],
            Self::Many(items) => items,
        }
    }
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnSource {
    pub event: String,
    pub key: String,
    #[serde(default)]
    pub set: Ordered<String>,
    pub when: Option<String>,
    /// How the record is tied to the event's record.
    pub link: Option<String>,
}
