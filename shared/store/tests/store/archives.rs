//! What is published is numbered once, and a database says who is too old to read it.

use store::{Archive, Publication, Store, StoreError};

use crate::{
    everywhere,
    site::{Site, rules},
};

everywhere!(
    the_same_content_keeps_its_number,
    a_binary_that_is_too_old_does_not_start,
    replicas_that_start_together_make_the_tables_once,
);

fn publication(digest: &str) -> Publication {
    Publication {
        kind: "process".into(),
        name: "case".into(),
        digest: digest.into(),
        content: format!("# {digest}"),
        origin: "upstream".into(),
    }
}

async fn the_same_content_keeps_its_number(site: &Site) {
    let archive = Archive::open(&site.options()).await.expect("an archive");
    let at = site.clock.now();
    for (digest, version) in [("a", 1), ("b", 2), ("a", 1), ("c", 3)] {
        let number = archive.register(&publication(digest), at).await.expect("a number");
        assert_eq!(number, version, "{digest}");
    }
    archive.close().await;
    let store = site.open().await;
    assert_eq!(store.register(&publication("b")).await.expect("a number"), 2);
    let versions = store.versions("process").await.expect("versions");
    assert_eq!(versions.iter().map(|one| one.version).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((versions[0].published_at, &versions[0].publication), (at, &publication("a")));
    assert!(store.versions("scheme").await.expect("versions").is_empty());
}

async fn a_binary_that_is_too_old_does_not_start(site: &Site) {
    site.open().await.close().await;
    // A newer binary was here, and says that we may still read.
    site.meddle("UPDATE schema_info SET version = 99").await;
    site.open().await.close().await;
    site.meddle("UPDATE schema_info SET min_reader = 98").await;
    let opened = Store::open(site.options(), rules(), site.clock.clone()).await;
    let Err(fault) = opened else { panic!("it was opened") };
    assert!(matches!(fault, StoreError::TooOld { min_reader: 98, .. }), "{fault}");
}

async fn replicas_that_start_together_make_the_tables_once(site: &Site) {
    if !site.is_postgres() {
        return;
    }
    let all = futures::future::join_all((0..4).map(|_| site.open())).await;
    assert_eq!(all.len(), 4);
}
