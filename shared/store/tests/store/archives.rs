//! What is published is numbered once, and a database says who is too old to read it.

use store::{Archive, Publication, Store, StoreError};

use crate::{
    everywhere,
    site::{Site, rules},
};

everywhere!(
    what_is_fed_is_in_force_until_an_organisation_says_otherwise,
    a_binary_that_is_too_old_does_not_start,
    replicas_that_start_together_make_the_tables_once,
    tables_that_could_not_be_made_leave_nothing_in_the_way,
);

fn publication(digest: &str, origin: &str) -> Publication {
    Publication {
        kind: "process".into(),
        name: "case".into(),
        digest: digest.into(),
        content: format!("# {digest}"),
        origin: origin.into(),
    }
}

async fn what_is_fed_is_in_force_until_an_organisation_says_otherwise(site: &Site) {
    let archive = Archive::open(&site.options()).await.expect("an archive");
    let at = site.clock.now();
    let feed = async |digest: &str, origin: &str| {
        let changed = archive.feed(&publication(digest, origin), at).await.expect("fed");
        let catalogue = archive.catalogue().await.expect("a catalogue");
        let present = catalogue.present.first().expect("something is in force").clone();
        (changed, catalogue.edition, present.version, present.shipped, present.base)
    };
    assert_eq!(feed("a", "upstream").await, (true, 1, 1, Some(1), Some(1)));
    assert_eq!(feed("a", "upstream").await, (false, 1, 1, Some(1), Some(1)));
    assert_eq!(feed("b", "upstream").await, (true, 2, 2, Some(2), Some(2)));
    // The same content keeps its number.
    assert_eq!(feed("a", "upstream").await, (true, 3, 1, Some(1), Some(1)));
    assert_eq!(feed("c", "local").await, (true, 4, 3, Some(1), Some(1)));
    assert_eq!(feed("b", "upstream").await, (true, 5, 3, Some(2), Some(1)));
    assert_eq!(feed("c", "local").await, (false, 5, 3, Some(2), Some(1)));
    assert_eq!(feed("d", "local").await, (true, 6, 4, Some(2), Some(2)));
    let catalogue = archive.catalogue().await.expect("a catalogue");
    let versions = catalogue.versions;
    assert_eq!(versions.iter().map(|one| one.version).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(versions[0].published_at, at);
    assert_eq!(versions[0].publication, publication("a", "upstream"));
    archive.close().await;
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

async fn tables_that_could_not_be_made_leave_nothing_in_the_way(site: &Site) {
    // One of the last to be made is there already: what came before it must not stay.
    site.meddle("CREATE TABLE refusal (n integer)").await;
    let opened = Store::open(site.options(), rules(), site.clock.clone()).await;
    assert!(opened.is_err(), "it was made");
    site.meddle("DROP TABLE refusal").await;
    site.open().await.close().await;
}
