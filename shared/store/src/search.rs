//! What records are found by in words: the prose of their fields, and what people said about them.
//!
//! Texts become words here and nowhere else, so that both databases find the same. Each record has one
//! passage of its fields (revision 0), and one of each comment, under the comment's revision.

use std::collections::{BTreeSet, HashMap};

use engine::{Fact, FieldDefinition, Record, Ruleset};
use kernel::{Refusal, Rule};
use sea_orm::{DbBackend, sea_query::Expr};
use serde_json::Value;

/// A text field that may hold so many characters may hold a sentence.
const PROSE: u64 = 200;
/// Longer words are cut, in characters: nobody types them to the end.
const WORD_LENGTH: usize = 64;
/// A word of so many characters is looked for as a beginning, too.
const BEGINNING: usize = 3;
/// A question has at most so many words.
const WORDS: usize = 16;

/// A record, and which of its passages.
pub(crate) type PassageKey = (uuid::Uuid, u64);

/// The passage of a record's fields; that of a comment has the comment's revision.
const FIELDS: u64 = 0;

/// The fields of every process that hold prose.
pub(crate) struct Prose(HashMap<String, Vec<String>>);

impl Prose {
    pub(crate) fn of(rules: &Ruleset) -> Self {
        let processes = rules.processes().map(|definition| {
            let fields = definition.fields().iter().filter(|field| is_prose(field));
            (definition.process.clone(), fields.map(|field| field.name.clone()).collect())
        });
        Self(processes.collect())
    }

    pub(crate) fn fields(&self, process: &str) -> &[String] {
        self.0.get(process).map_or(&[], Vec::as_slice)
    }

    /// What a fact changes of what its record is found by.
    pub(crate) fn changed(&self, record: &Record, fact: &Fact) -> Option<(PassageKey, String)> {
        if let Some(comment) = &fact.comment {
            return Some(((record.id, record.revision), Self::of_comment(comment)));
        }
        let fields = self.fields(&record.process);
        let is_changed = fields.iter().any(|field| fact.changes.contains_key(field));
        is_changed.then(|| self.of_fields(record))
    }

    pub(crate) fn of_comment(text: &str) -> String {
        words_in([text])
    }

    /// The words of a record's prose, and its number; nothing where there is no prose.
    pub(crate) fn of_fields(&self, record: &Record) -> (PassageKey, String) {
        let fields = self.fields(&record.process).iter();
        let texts: Vec<_> = fields.filter_map(|field| record.data.get(field)?.as_str()).collect();
        let number = (!texts.is_empty()).then_some(record.number.as_str());
        ((record.id, FIELDS), words_in(texts.into_iter().chain(number)))
    }
}

/// Whether people look for a field's value by its words: what is a key, a code or a date is for
/// filters.
fn is_prose(field: &FieldDefinition) -> bool {
    let says = |word: &str| field.schema.get(word);
    says("type").and_then(Value::as_str) == Some("string")
        && says("maxLength").and_then(Value::as_u64).is_some_and(|length| length >= PROSE)
        && ["enum", "format", "pattern"].into_iter().all(|word| says(word).is_none())
        && field.reference.is_none()
        && !(field.read_only && field.index.is_some())
}

/// The words of texts, each once, in one case.
fn words_in<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let words: BTreeSet<String> = texts.into_iter().flat_map(words).collect();
    words.into_iter().collect::<Vec<_>>().join(" ")
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|symbol: char| !symbol.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.map(|word| {
        let lower = word.chars().flat_map(char::to_lowercase);
        // What a letter becomes in the other case may hold marks that are no letters.
        lower.filter(|symbol| symbol.is_alphanumeric()).take(WORD_LENGTH).collect()
    })
}

/// Words that a record must have, all of them in one passage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// Reads what somebody typed. Words of three letters or more also stand for longer ones that
    /// begin with them.
    ///
    /// # Errors
    /// A refusal, when there is no word in it or too many.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let words: BTreeSet<String> = words(text).collect();
        let refused = |message: String| Refusal::one(Rule::Invalid, "/q", "words", message);
        match words.len() {
            0 => Err(refused("`q` has no word to look for".to_owned())),
            1..=WORDS => Ok(Self(words.into_iter().collect())),
            count => Err(refused(format!("`q` has {count} words; at most {WORDS} are looked for"))),
        }
    }

    /// That a record has a passage with all of them, as its index tells.
    pub(crate) fn condition(&self, backend: DbBackend) -> Expr {
        let is_long = |word: &String| word.chars().count() >= BEGINNING;
        let (sql, joint, asked): (_, _, Vec<String>) = match backend {
            DbBackend::Sqlite => {
                let word =
                    |word: &String| format!("\"{word}\"{}", if is_long(word) { "*" } else { "" });
                let sql = "\"record\".\"id\" IN (SELECT p.record_id FROM passage_words AS w JOIN passage AS p \
                    ON p.doc = w.rowid WHERE w.passage_words MATCH ?)";
                (sql, " AND ", self.0.iter().map(word).collect())
            }
            _ => {
                let word =
                    |word: &String| format!("'{word}'{}", if is_long(word) { ":*" } else { "" });
                let sql = "\"record\".\"id\" IN (SELECT record_id FROM passage WHERE words @@ CAST($1 AS tsquery))";
                (sql, " & ", self.0.iter().map(word).collect())
            }
        };
        Expr::cust_with_values(sql, [asked.join(joint)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_words_in_one_case_and_without_marks() {
        assert_eq!(
            words_in(["Mail-Server MAIL02 \"fällt\" aus!", "İnci\0x"]),
            "aus fällt inci mail mail02 server x"
        );
        assert_eq!(words_in(["x".repeat(500).as_str()]).len(), WORD_LENGTH);
    }

    #[test]
    fn a_question_has_a_word_and_not_too_many() {
        assert_eq!(Words::parse("Mail down, mail!"), Ok(Words(vec!["down".into(), "mail".into()])));
        let many: Vec<_> = (0..17).map(|n| format!("w{n}")).collect();
        for wrong in ["", " -- ' \" *", &many.join(" ")] {
            assert!(Words::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn postgres_answers_words_by_their_index() {
        use crate::plan::{filled_postgres, on_postgres};

        let fill = "\
            INSERT INTO record (id, process, number, definition, state, revision, data, audience, \
                opened_at, updated_at, entered_at, opened_by, partition, head) \
            SELECT gen_random_uuid(), 'case', 'CAS' || n, 1, 'new', 1, '{}', 1, \
                now(), now(), now(), '', 0, '' FROM generate_series(1, 20000) AS n; \
            INSERT INTO passage (record_id, revision, words) \
            SELECT id, 0, array_to_tsvector(ARRAY['mail', 'down', number]) FROM record; \
            ANALYZE";
        let Some((_scratch, db)) = filled_postgres(fill).await else { return };
        let words = Words::parse("mail cas77").expect("words");
        let mut select = sea_orm::sea_query::Query::select();
        select.column("id").from("record").and_where(words.condition(DbBackend::Postgres));
        let sql = select.to_string(sea_orm::sea_query::PostgresQueryBuilder);
        let plan = on_postgres(&db, sql).await;
        assert!(plan.contains("Bitmap Index Scan on passage_words"), "{plan}");
        assert!(!plan.contains("Seq Scan"), "{plan}");
    }
}
