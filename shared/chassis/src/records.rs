//! The record API of every process: the same doors for all, made from the definitions.

mod attachment;
mod batch;
mod duties;
mod figures;
mod import;
mod letters;
mod list;
mod more;
mod one;
mod processes;
mod task;
mod vote;
mod wish;

use std::sync::Arc;

use axum::{
    Router,
    routing::{delete, get, patch, post},
};
use store::RecordRef;

use crate::{
    Office,
    door::Door,
    migrations::{self, MIGRATION},
    problem::Problem,
    publications::{self, PUBLICATION},
};

/// One collection: what its handlers know beside the request.
#[derive(Clone)]
pub(crate) struct Shelf {
    pub office: Office,
    pub process: Arc<str>,
}

/// Every path that the definitions of a service give it, all under `/api/v1`.
///
/// Who calls is not asked here: lay [`crate::identity::required`] over it.
///
/// Processes in `opened_elsewhere` have no `POST` on their collection.
pub fn router(office: &Office, opened_elsewhere: &[&str]) -> Router {
    let mut router = processes::router(office)
        .merge(figures::router(office))
        .merge(letters::router(office))
        .merge(duties::router(office))
        .merge(publications::router(office))
        .merge(migrations::router(office));
    for definition in office.rules().processes().filter(|one| is_public(&one.process)) {
        let shelf =
            Shelf { office: office.clone(), process: Arc::from(definition.process.as_str()) };
        let opens = !opened_elsewhere.contains(&definition.process.as_str());
        router = router.merge(collection(&definition.collection, shelf, opens));
    }
    router
}

/// Processes that every service has for itself are no collections of the platform.
pub(crate) fn is_public(process: &str) -> bool {
    process != PUBLICATION && process != MIGRATION
}

/// The doors of one collection under a path below `/api/v1`.
pub(crate) fn collection(name: &str, shelf: Shelf, opens: bool) -> Router {
    let root = format!("/api/v1/{name}");
    let path = |rest: &str| format!("{root}{rest}");
    let list = get(list::list);
    Router::new()
        .route(&root, if opens { list.post(one::open) } else { list })
        .route(&path("/batch"), post(batch::batch))
        .route(&path("/import"), post(import::import))
        .route(&path("/{id}"), get(one::read).patch(one::amend))
        .route(&path("/{id}/transitions/{name}"), post(one::take))
        .route(&path("/{id}/history"), get(more::history))
        .route(&path("/{id}/erase"), post(more::erase))
        .route(&path("/{id}/comments"), get(more::comments).post(more::comment))
        .route(&path("/{id}/attachments"), get(attachment::attachments).post(attachment::attach))
        .route(&path("/{id}/attachments/{rev}"), get(attachment::file))
        .route(&path("/{id}/tasks"), get(task::tasks).post(task::add))
        .route(&path("/{id}/tasks/{task}"), patch(task::change))
        .route(&path("/{id}/votes"), post(vote::vote))
        .route(&path("/{id}/links"), get(more::links).post(more::link))
        .route(&path("/{id}/links/{relation}/{to}"), delete(more::unlink))
        .with_state(shelf)
}

impl Shelf {
    /// The record under an id or number, if the caller sees it.
    pub async fn record(&self, door: &Door, id: &str) -> Result<engine::Record, Problem> {
        let found = self.office.store.record(&self.process, &id.into(), &door.reader()).await?;
        found.ok_or_else(Problem::unknown)
    }

    pub fn target(&self, id: &str) -> store::Target {
        store::Target::Record { process: self.process.to_string(), which: RecordRef::from(id) }
    }
}
