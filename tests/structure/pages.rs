//! The pages of `docs` say what the definitions say: one for each process, and one of all events.
//!
//! `STEWARD_WRITE_DOCS=1` writes them.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use acceptance::repository;
use engine::{Definition, Languages};

type Files = &'static [(&'static str, &'static str)];

pub const SERVICES: [(&str, Files); 6] = [
    ("incident", &incident::DEFINITIONS),
    ("sla", &sla::DEFINITIONS),
    ("change", &change::DEFINITIONS),
    ("release", &release::DEFINITIONS),
    ("supplier", &supplier::DEFINITIONS),
    ("governance", &governance::DEFINITIONS),
];

fn definitions() -> Vec<(&'static str, Definition)> {
    let files =
        SERVICES.iter().flat_map(|(service, files)| files.iter().map(move |f| (*service, f)));
    let parsed = files.map(|(service, (file, text))| {
        let definition = Definition::parse(text, 1);
        (service, definition.unwrap_or_else(|flaws| panic!("{file}: {flaws:#?}")))
    });
    parsed.collect()
}

/// Every page by its path from `docs`.
fn pages() -> BTreeMap<String, String> {
    let definitions = definitions();
    let mut pages = BTreeMap::new();
    let mut index = "# Processes\nOne page each, worked out from its definition; [who says and who hears what](events.md).\n".to_owned();
    for (service, files) in SERVICES {
        let _ = writeln!(index, "\n## {service}");
        for (_, definition) in definitions.iter().filter(|(of, _)| *of == service) {
            let (name, title) = (&definition.process, &definition.title);
            let clauses = definition.clauses.join(", ");
            let _ = writeln!(index, "- [{title}](processes/{name}.md) `{name}`: {clauses}");
            pages.insert(format!("processes/{name}.md"), definition.page(&Languages::default()));
        }
        assert!(!files.is_empty());
    }
    pages.insert("processes.md".to_owned(), index);
    pages.insert("events.md".to_owned(), events(&definitions));
    pages
}

/// Who says each event that somebody hears, and what the hearer makes of it.
fn events(definitions: &[(&'static str, Definition)]) -> String {
    let mut heard: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (service, definition) in definitions {
        let of = |does: &str| format!("{service}: {} {does}", definition.process);
        for opens in definition.outline()["opens"].as_array().into_iter().flatten() {
            let event = opens["on"].as_str().unwrap_or_default();
            heard.entry(event.to_owned()).or_default().push(of("opens one"));
        }
        for (_, transition) in definition.all_transitions() {
            for on in
                transition.outline().get("on").and_then(|on| on.as_array()).into_iter().flatten()
            {
                let hearers = heard.entry(on["event"].as_str().unwrap_or_default().to_owned());
                let hearer = of(&format!("takes `{}`", transition.name));
                let hearers = hearers.or_default();
                if !hearers.contains(&hearer) {
                    hearers.push(hearer);
                }
            }
        }
    }
    let mut page = "# Events that are heard\nWorked out from the definitions. Any service may hear any event; these are the ones that do something.\n\n| event | said by | heard by |\n|---|---|---|\n".to_owned();
    for (event, hearers) in heard {
        let process = event.split('.').next().unwrap_or_default();
        let said = event.split('.').nth(1).unwrap_or_default();
        let speaker = definitions.iter().find(|(_, definition)| {
            let mut says = definition.all_transitions().map(|(_, transition)| &transition.says);
            definition.process == process && (said == "opened" || says.any(|says| says == said))
        });
        let speaker = speaker.map_or("the code of a service", |(service, _)| service);
        let _ = writeln!(page, "| `{event}` | {speaker} | {} |", hearers.join("<br>"));
    }
    page
}

#[test]
fn the_pages_say_what_the_definitions_say() {
    let docs = repository().join("docs");
    if std::env::var_os("STEWARD_WRITE_DOCS").is_some() {
        fs::create_dir_all(docs.join("processes")).expect("docs can be made");
        for (path, page) in pages() {
            fs::write(docs.join(path), page).expect("a page can be written");
        }
    }
    let mut stale = Vec::new();
    for (path, page) in pages() {
        if fs::read_to_string(docs.join(&path)).ok().as_deref() != Some(page.as_str()) {
            stale.push(path);
        }
    }
    assert!(stale.is_empty(), "run with STEWARD_WRITE_DOCS=1, these pages are old: {stale:#?}");
}
