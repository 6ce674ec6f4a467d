//! Pages of records: filtered, sorted and narrowed to what the reader may see.

use chrono::TimeDelta;
use engine::{Definition, Field, Filter, IndexKind, Record, Ruleset, Schemes};
use kernel::Reader;
use serde_json::{Value, json};
use store::{Page, Query, Setback, Sort, Store, StoreError};

use crate::{
    everywhere,
    site::{Site, record_of, reporter, rules, stranger, take},
};

everywhere!(
    pages_hold_every_record_once_in_order,
    records_without_a_value_come_last,
    filters_find_what_the_expression_says,
    a_reader_lists_what_it_sees,
    a_cursor_of_another_list_is_refused,
    long_text_is_found_by_the_whole_of_it,
    a_field_indexed_later_is_filled_for_what_is_there,
    a_window_is_listed_by_both_its_ends,
    too_many_indexed_fields_are_a_clear_error,
);

fn query(filter: &str) -> Query {
    let rules = rules();
    let definition = rules.process("case").expect("a process");
    let filter = (!filter.is_empty()).then(|| Filter::parse(definition, filter));
    let filter = filter.transpose().unwrap_or_else(|refusal| panic!("{refusal}"));
    let sort = Sort { field: Field::Number, descending: false };
    Query { filter, sort, limit: 500, ..Query::of("case") }
}

fn indexed(name: &str, kind: IndexKind) -> Field {
    Field::Indexed { name: name.into(), kind }
}

async fn page(store: &Store, query: &Query) -> Page {
    store.list(query, &Reader::Everything).await.unwrap_or_else(|setback| panic!("{setback:?}"))
}

/// Every page after the other.
async fn walk(store: &Store, mut query: Query) -> Vec<Record> {
    let mut all = Vec::new();
    loop {
        let page = page(store, &query).await;
        all.extend(page.items);
        query.cursor = page.next;
        if query.cursor.is_none() {
            return all;
        }
    }
}

async fn fill(site: &Site, store: &Store, count: usize) -> Vec<Record> {
    let acts = (0..count).map(|n| {
        let mut fields = json!({ "reporter": format!("PER000000{}", n % 3) });
        if n % 4 != 0 {
            fields["weight"] = json!(n % 7);
            fields["due"] = json!(format!("2026-04-{:02}T0{}:00:00+02:00", n % 28 + 1, n % 10));
        }
        site.opening(&format!("case {}", n % 10), fields)
    });
    store.act_all(acts.collect()).await.into_iter().map(record_of).collect()
}

async fn pages_hold_every_record_once_in_order(site: &Site) {
    let store = site.open().await;
    fill(site, &store, 57).await;
    let fields = [
        Field::State,
        Field::Number,
        Field::OpenedAt,
        Field::UpdatedAt,
        Field::OpenedBy,
        indexed("title", IndexKind::Text),
    ];
    for field in fields {
        for descending in [false, true] {
            let sort = Sort { field: field.clone(), descending };
            let whole = walk(&store, Query { sort: sort.clone(), limit: 500, ..query("") }).await;
            let pages = walk(&store, Query { sort, limit: 10, ..query("") }).await;
            assert_eq!(whole.len(), 57);
            assert_eq!(whole, pages, "{field:?}");
        }
    }
    let newest = page(&store, &Query { limit: 2, ..Query::of("case") }).await;
    let numbers: Vec<_> = newest.items.iter().map(|case| case.number.as_str()).collect();
    assert_eq!(numbers, ["CAS0000057", "CAS0000056"]);
}

async fn records_without_a_value_come_last(site: &Site) {
    let store = site.open().await;
    fill(site, &store, 40).await;
    for (name, kind) in [("weight", IndexKind::Number), ("due", IndexKind::Time)] {
        for descending in [false, true] {
            for limit in [7, 30, 500] {
                let sort = Sort { field: indexed(name, kind), descending };
                let all = walk(&store, Query { sort, limit, ..query("") }).await;
                let values: Vec<&Value> =
                    all.iter().map(|case| case.data.get(name).unwrap_or(&Value::Null)).collect();
                assert_eq!(
                    (values.len(), values.iter().filter(|value| value.is_null()).count()),
                    (40, 10)
                );
                let with: Vec<_> = values.iter().take_while(|value| !value.is_null()).collect();
                assert_eq!(with.len(), 30);
                let key = |value: &Value| match value {
                    Value::Number(number) => number.as_f64().unwrap_or_default(),
                    other => {
                        let at = chrono::DateTime::parse_from_rfc3339(other.as_str().unwrap_or(""));
                        at.map_or(0.0, |at| at.timestamp() as f64)
                    }
                };
                let ordered = with.is_sorted_by(|one, next| {
                    let (one, next) = (key(one), key(next));
                    if descending { one >= next } else { one <= next }
                });
                assert!(ordered, "{name} {descending} {limit}: {with:?}");
            }
        }
    }
}

async fn filters_find_what_the_expression_says(site: &Site) {
    let store = site.open().await;
    let cases = fill(site, &store, 40).await;
    for case in &cases[..8] {
        record_of(store.act(site.on(case, take("start"))).await);
    }
    record_of(store.act(site.on(&cases[1], take("finish"))).await);
    let weight = |case: &Record| case.data.get("weight").and_then(Value::as_i64);
    let all = walk(&store, query("")).await;
    let check = async |filter: &str, expected: &dyn Fn(&Record) -> bool| {
        let found = walk(&store, query(filter)).await;
        let expected: Vec<_> = all.iter().filter(|case| expected(case)).collect();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter}");
    };
    check("record.state == 'working'", &|case| case.state == "working").await;
    check("record.state != 'fresh'", &|case| case.state != "fresh").await;
    check("record.state in ['working', 'closed']", &|case| case.state != "fresh").await;
    check("!(record.state in ['working', 'closed'])", &|case| case.state == "fresh").await;
    check("record.weight <= 2", &|case| weight(case).is_some_and(|weight| weight <= 2)).await;
    check("!(record.weight <= 2)", &|case| weight(case).is_none_or(|weight| weight > 2)).await;
    check("record.weight != 3", &|case| weight(case) != Some(3)).await;
    check("record.weight == null", &|case| weight(case).is_none()).await;
    check("record.weight != null", &|case| weight(case).is_some()).await;
    check("record.weight in [1, 2]", &|case| matches!(weight(case), Some(1 | 2))).await;
    check("!(record.weight in [1, 2])", &|case| !matches!(weight(case), Some(1 | 2))).await;
    check("record.title == 'case 3' && record.weight == 3", &|case| {
        case.data["title"] == "case 3" && weight(case) == Some(3)
    })
    .await;
    check("record.title == 'case 3' || record.state == 'closed'", &|case| {
        case.data["title"] == "case 3" || case.state == "closed"
    })
    .await;
    check("!(record.title == 'case 3' || record.weight > 1)", &|case| {
        case.data["title"] != "case 3" && weight(case).is_none_or(|weight| weight <= 1)
    })
    .await;
    check("record.due < timestamp('2026-04-10T00:00:00Z')", &|case| {
        let due = case.data.get("due").and_then(Value::as_str);
        due.is_some_and(|due| *due < *"2026-04-10T02")
    })
    .await;
    check("record.closed_at == null", &|case| case.closed_at.is_none()).await;
    check("record.closed_at != null", &|case| case.closed_at.is_some()).await;
    check("record.number == 'CAS0000005'", &|case| case.number == "CAS0000005").await;
    check("record.rev >= 2", &|case| case.revision >= 2).await;
    check("record.opened_by == 'person:PER0000001'", &|_| true).await;
    check("false", &|_| false).await;
    let odd = "record.title == '\\'; DROP TABLE record; --'";
    check(odd, &|_| false).await;
}

async fn a_reader_lists_what_it_sees(site: &Site) {
    let store = site.open().await;
    fill(site, &store, 30).await;
    let mut own = query("");
    own.limit = 4;
    let mut seen = 0;
    loop {
        let page = store.list(&own, &reporter().reader()).await.expect("a page");
        assert!(page.items.iter().all(|case| case.data["reporter"] == "PER0000002"));
        seen += page.items.len();
        own.cursor = page.next;
        if own.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, 10);
    let nothing = store.list(&query(""), &stranger().reader()).await.expect("a page");
    assert_eq!(nothing.items, []);
    let nobody = store.list(&query(""), &Reader::Tokens(vec![])).await.expect("a page");
    assert_eq!(nobody.items, []);
}

async fn a_cursor_of_another_list_is_refused(site: &Site) {
    let store = site.open().await;
    fill(site, &store, 5).await;
    let first = page(&store, &Query { limit: 2, ..query("") }).await;
    let other = Query { cursor: first.next, limit: 2, ..Query::of("case") };
    for cursor in [other.cursor.clone(), Some("nonsense".into()), Some("00ff".into())] {
        let refused = store.list(&Query { cursor, ..other.clone() }, &Reader::Everything).await;
        assert!(matches!(refused, Err(Setback::Refused(_))));
    }
}

async fn long_text_is_found_by_the_whole_of_it(site: &Site) {
    let store = site.open().await;
    let long = |end: &str| format!("{}{end}", "lang ".repeat(300));
    site.case(&store, &long("a"), json!({})).await;
    site.case(&store, &long("b"), json!({})).await;
    let found = walk(&store, query(&format!("record.title == '{}'", long("b")))).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].number, "CAS0000002");
}

fn thing(fields: &str) -> std::sync::Arc<Ruleset> {
    let text = format!(
        "process: case\ncollection: cases\nnumber: CAS\nroles: {{ agent: {{}} }}\nfields:\n  \
         properties:\n{fields}\naudience: ['role:agent']\nstarts: fresh\nstates: {{ fresh: {{ end: {{ to: gone, by: [agent] }} }}, gone: {{}} }}\n"
    );
    let definition = Definition::parse(&text, 1).unwrap_or_else(|faults| panic!("{faults:?}"));
    let rules = Ruleset::new(vec![definition], Schemes::default());
    std::sync::Arc::new(rules.unwrap_or_else(|faults| panic!("{faults:?}")))
}

async fn a_field_indexed_later_is_filled_for_what_is_there(site: &Site) {
    let before = thing("    title: { type: string }\n    size: { type: integer, index: number }");
    let store = site.open_with(before).await;
    site.case(&store, "one", json!({ "size": 1 })).await;
    site.case(&store, "two", json!({ "size": 2 })).await;
    store.close().await;
    let after = thing(
        "    title: { type: string, index: text }\n    size: { type: integer, index: number }",
    );
    let filter = Filter::parse(after.process("case").expect("a process"), "record.title == 'two'");
    let store = site.open_with(after).await;
    let query = Query { filter: Some(filter.expect("a filter")), ..Query::of("case") };
    let found = page(&store, &query).await.items;
    assert_eq!(found.iter().map(|case| case.number.as_str()).collect::<Vec<_>>(), ["CAS0000002"]);
    site.pass(TimeDelta::seconds(1));
    assert!(store.verify().await.expect("a report").is_sound());
}

async fn a_window_is_listed_by_both_its_ends(site: &Site) {
    let rules =
        thing("    title: { type: string }\n    slot: { $ref: 'steward:window', index: time }");
    let definition = rules.process("case").expect("a process");
    let store = site.open_with(rules.clone()).await;
    let day = |day: u32| format!("2026-05-{day:02}T08:00:00+02:00");
    for (title, from, to) in [("one", 1, 3), ("two", 2, 9), ("three", 12, 13)] {
        let slot = json!({ "from": day(from), "to": day(to) });
        site.case(&store, title, json!({ "slot": slot })).await;
    }
    let none = site.case(&store, "none", json!({})).await;
    let asked = async |filter: &str| {
        let filter = Some(Filter::parse(definition, filter).expect("a filter"));
        let sort = Field::named(definition, "slot.from").expect("a field");
        let sort = Sort { field: sort, descending: false };
        let found = page(&store, &Query { filter, sort, ..Query::of("case") }).await.items;
        let title = |case: &Record| case.data["title"].as_str().unwrap_or_default().to_owned();
        found.iter().map(title).collect::<Vec<_>>()
    };
    let overlaps =
        "record.slot.from < '2026-05-04T00:00:00Z' && record.slot.to >= '2026-05-03T12:00:00Z'";
    assert_eq!(asked(overlaps).await, ["two"]);
    assert_eq!(asked("record.slot.to != null").await, ["one", "two", "three"]);
    assert_eq!(asked("record.slot.from == null").await, ["none"]);
    // It moves with its field.
    let slot = json!({ "from": day(20), "to": day(21) });
    let amended = site.on(&none, crate::site::amend(json!({ "slot": slot })));
    record_of(store.act(amended).await);
    assert_eq!(asked("record.slot.from > '2026-05-19T00:00:00Z'").await, ["none"]);
    let refused = Filter::parse(definition, "record.slot == null").unwrap_err().to_string();
    assert!(refused.contains("slot.from, slot.to"), "{refused}");
}

async fn too_many_indexed_fields_are_a_clear_error(site: &Site) {
    let sized = |numbers: std::ops::Range<u8>| {
        let fields = numbers.map(|n| format!("    size{n}: {{ type: integer, index: number }}\n"));
        thing(&format!("    title: {{ type: string }}\n{}", fields.collect::<String>()))
    };
    site.open_with(sized(0..4)).await.close().await;
    // What was indexed once keeps its column, so one more than there are is too many.
    let opened = store::Store::open(site.options(), sized(1..5), site.clock.clone()).await;
    let Err(fault) = opened else { panic!("it was opened") };
    assert!(matches!(fault, StoreError::NoSlot { count: 4, .. }), "{fault}");
}
