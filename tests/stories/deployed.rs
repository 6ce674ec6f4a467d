//! What an operator does before a platform is rolled out: keys and tables.

use std::{collections::BTreeSet, fs};

use acceptance::tool;
use testkit::Postgres;

#[tokio::test]
async fn tables_are_made_once_however_many_make_them() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let data = folder.path().join("data");
    let prepare = |url: String| {
        let arguments =
            ["prepare".into(), "incident".into(), "--data-dir".into(), data.clone().into()];
        tool(arguments.to_vec(), vec![("STEWARD__DATABASE__URL".to_owned(), url)])
    };
    let (is_made, said) = prepare(String::new()).await;
    assert!(is_made, "{said}");
    let Some(database) = Postgres::scratch().await else { return };
    let all = (0..4).map(|_| prepare(database.url.clone()));
    for (is_made, said) in futures::future::join_all(all).await {
        assert!(is_made && said.contains("incident"), "{said}");
    }
    // Again, and nothing is left to be done.
    let (is_made, said) = prepare(database.url.clone()).await;
    assert!(is_made, "{said}");
}

#[tokio::test]
async fn keys_are_made_for_every_service_and_stay() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let make = || tool(vec!["keys".into(), folder.path().into()], Vec::new());
    let files = || -> BTreeSet<(String, String)> {
        let entries = fs::read_dir(folder.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path());
        entries
            .map(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                (name, fs::read_to_string(&path).expect("a key"))
            })
            .collect()
    };
    let (is_made, said) = make().await;
    assert!(is_made, "{said}");
    let made = files();
    assert_eq!(made.len(), 16, "a pair for identities, and one for each journal");
    assert!(!made.iter().any(|(_, key)| said.contains(key)), "a key was shown");
    let _ = make().await;
    assert_eq!(files(), made);
}
