//! Records found by words: in their prose, in what people said, and only by those who see them.

use engine::{Command, Field, Filter, Record};
use kernel::Reader;
use serde_json::json;
use store::{Query, Sort, Store, Words};

use crate::{
    everywhere,
    site::{Site, amend, record_of, reporter, rules, stranger, take},
};

everywhere!(
    words_find_records_by_prose_and_comments,
    words_narrow_what_filter_sort_and_pages_give,
    a_reader_finds_what_it_sees,
    what_was_there_before_the_index_is_found,
);

fn query(words: &str) -> Query {
    let sort = Sort { field: Field::Number, descending: false };
    let words = Some(Words::parse(words).unwrap_or_else(|refusal| panic!("{refusal}")));
    Query { words, sort, limit: 500, ..Query::of("case") }
}

async fn found_by(store: &Store, query: &Query, reader: &Reader) -> Vec<String> {
    let page = store.list(query, reader).await.unwrap_or_else(|setback| panic!("{setback:?}"));
    page.items.into_iter().map(|case: Record| case.number).collect()
}

async fn found(store: &Store, words: &str) -> Vec<String> {
    found_by(store, &query(words), &Reader::Everything).await
}

async fn words_find_records_by_prose_and_comments(site: &Site) {
    let store = site.open().await;
    let mail = site.case(&store, "Mail-Server MAIL02 ist ausgefallen", json!({})).await;
    let print = site.case(&store, "Printing is slow; Störung", json!({ "weight": 3 })).await;
    let (mail, print) = (mail, vec![print.number.clone()]);
    let said = Command::Comment { text: "The spooler's queue overflows".into() };
    record_of(store.act(site.on(&mail, said)).await);
    let mails = vec![mail.number.clone()];
    for words in
        ["mail", "mail02 ausgef", "SERVER", "ist", "spool queue", "cas0000001", "mail,mail"]
    {
        assert_eq!(found(&store, words).await, mails, "{words}");
    }
    for words in ["print störung", "PRINTING", "is", "STÖR"] {
        assert_eq!(found(&store, words).await, print, "{words}");
    }
    // Two letters are a word and no beginning; words that stand apart are not together.
    for words in ["ma", "mail spooler", "mail print", "agent", "fresh"] {
        assert_eq!(found(&store, words).await, Vec::<String>::new(), "{words}");
    }
    let text = json!({ "title": "Calendar does not open" });
    record_of(store.act(site.on(&mail, amend(text))).await);
    assert_eq!(found(&store, "calendar").await, mails);
    assert_eq!(found(&store, "mail02").await, Vec::<String>::new());
    record_of(store.act(site.on(&mail, take("start"))).await);
    assert_eq!(found(&store, "calendar").await, mails);
    assert_eq!(found(&store, "overflows").await, mails);
}

async fn words_narrow_what_filter_sort_and_pages_give(site: &Site) {
    let store = site.open().await;
    let acts = (0..60).map(|n| {
        let title = format!("{} number {n}", if n % 3 == 0 { "disk" } else { "screen" });
        site.opening(&title, json!({ "weight": n % 5 }))
    });
    store.act_all(acts.collect()).await.into_iter().for_each(|done| drop(record_of(done)));
    let rules = rules();
    let filter = Filter::parse(rules.process("case").expect("a process"), "record.weight >= 2");
    let sort = Sort { field: Field::UpdatedAt, descending: true };
    let narrow = Query { filter: Some(filter.expect("a filter")), sort, ..query("disk") };
    let whole = found_by(&store, &narrow, &Reader::Everything).await;
    let expected = (0..60).filter(|n| n % 3 == 0 && n % 5 >= 2).count();
    assert_eq!(whole.len(), expected);
    let (mut pages, mut page) = (Vec::new(), Query { limit: 5, ..narrow });
    loop {
        let next = store.list(&page, &Reader::Everything).await.expect("a page");
        pages.extend(next.items.into_iter().map(|case| case.number));
        page.cursor = next.next;
        if page.cursor.is_none() {
            break;
        }
    }
    assert_eq!(pages, whole);
}

async fn a_reader_finds_what_it_sees(site: &Site) {
    let store = site.open().await;
    site.case(&store, "Mail is down", json!({ "reporter": "PER0000002" })).await;
    site.case(&store, "Mail is slow", json!({ "reporter": "PER0000003" })).await;
    let mail = query("mail");
    assert_eq!(found_by(&store, &mail, &reporter().reader()).await, ["CAS0000001"]);
    assert_eq!(found_by(&store, &mail, &stranger().reader()).await, Vec::<String>::new());
}

async fn what_was_there_before_the_index_is_found(site: &Site) {
    let store = site.open().await;
    let case = site.case(&store, "Mail is down", json!({})).await;
    let said = Command::Comment { text: "The spooler overflows".into() };
    record_of(store.act(site.on(&case, said)).await);
    store.close().await;
    if !site.is_postgres() {
        site.meddle("INSERT INTO passage_words (passage_words) VALUES ('delete-all')").await;
    }
    site.meddle("DELETE FROM passage").await;
    site.meddle("DELETE FROM searched").await;
    let store = site.open().await;
    for words in ["mail", "spooler"] {
        assert_eq!(found(&store, words).await, [case.number.as_str()], "{words}");
    }
}
