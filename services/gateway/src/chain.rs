//! `GET /api/v1/chain/{number}`: a record and all that it is tied to, near and far, in one answer
//! (catalogue PLT-7): the incident, its problem, the change that mends it, the release that carries it.
//!
//! Each service keeps its own ends of links and shows what the caller may see; this walks from end to end as the
//! caller would, and adds nothing of its own.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use axum::{
    Json,
    extract::{Extension, Path, State},
    response::Response,
};
use chassis::Problem;
use futures::{StreamExt as _, stream};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    access::Caller,
    routing::{Table, switch::Switch},
};

/// Further than this from where it began nothing is asked.
const MOST_STEPS: usize = 8;
/// More records than these are not told.
const MOST_RECORDS: usize = 200;
/// So many services are asked at once.
const AT_ONCE: usize = 8;

/// What is told: the records, the nearest first.
#[derive(Debug, Serialize)]
pub struct Chain {
    records: Vec<Member>,
    /// Nothing was left out: neither was the walk too long nor was a service away.
    is_whole: bool,
    /// Services that did not answer; what lies behind them is missing.
    unreachable: BTreeSet<String>,
}

/// One record of the chain.
#[derive(Debug, Serialize)]
struct Member {
    /// Steps from the first record.
    distance: usize,
    /// As a list shows it.
    record: Map<String, Value>,
    /// To records that stand in the chain, as this end names them.
    links: Vec<Step>,
}

#[derive(Debug, Serialize)]
struct Step {
    relation: String,
    to: String,
}

/// `…/{id}/links` as a service answers it.
#[derive(Deserialize)]
struct Links {
    items: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    relation: String,
    to: End,
}

#[derive(Deserialize)]
struct End {
    number: String,
}

/// Why a record is not in the chain.
enum Missing {
    /// Not there, or not for this caller.
    Unseen,
    /// The service that owns it does not answer.
    Away(String),
}

/// The chain of a record, by its number.
///
/// # Errors
/// 404 for a record that the caller does not see, 503 where its service does not answer.
pub async fn chain(
    State(switch): State<Switch>,
    Extension(caller): Extension<Arc<Caller>>,
    Path(number): Path<String>,
) -> Result<Json<Chain>, Problem> {
    caller.may_use(&Method::GET)?;
    let walk = Walk { token: switch.token(&caller)?, table: switch.routes.now(), switch };
    let first = match walk.member(&number, 0).await {
        Ok(member) => member,
        Err(Missing::Unseen) => return Err(Problem::unknown()),
        Err(Missing::Away(service)) => {
            let detail = format!("The service `{service}` does not answer at the moment.");
            return Err(Problem::unavailable("service_unreachable", detail));
        }
    };
    Ok(Json(walk.from(first).await))
}

struct Walk {
    switch: Switch,
    table: Arc<Table>,
    token: String,
}

impl Walk {
    /// Goes on from the first record, a step at a time.
    async fn from(&self, first: Member) -> Chain {
        let mut chain = Chain { records: Vec::new(), is_whole: true, unreachable: BTreeSet::new() };
        let mut asked = HashSet::from([number_of(&first.record)]);
        let mut found = vec![first];
        for distance in 1.. {
            let steps = found.iter().flat_map(|member| &member.links);
            let mut next: Vec<String> = Vec::new();
            for step in steps {
                if asked.insert(step.to.clone()) {
                    next.push(step.to.clone());
                }
            }
            chain.records.append(&mut found);
            let room = MOST_RECORDS - chain.records.len();
            if next.is_empty() || distance > MOST_STEPS || room == 0 {
                chain.is_whole &= next.is_empty();
                break;
            }
            chain.is_whole &= next.len() <= room;
            next.truncate(room);
            let members = next.into_iter().map(async |number| self.member(&number, distance).await);
            let mut members = stream::iter(members).buffered(AT_ONCE);
            while let Some(member) = members.next().await {
                match member {
                    Ok(member) => found.push(member),
                    Err(Missing::Unseen) => {}
                    Err(Missing::Away(service)) => {
                        chain.is_whole = false;
                        chain.unreachable.insert(service);
                    }
                }
            }
        }
        let told: HashSet<String> =
            chain.records.iter().map(|member| number_of(&member.record)).collect();
        for member in &mut chain.records {
            member.links.retain(|step| told.contains(&step.to));
        }
        chain
    }

    /// A record with its links, as its own service shows them to the caller.
    async fn member(&self, number: &str, distance: usize) -> Result<Member, Missing> {
        let (collection, owner) = self.table.of_number(number).ok_or(Missing::Unseen)?;
        let why_not = |answer: Option<Response>| match answer {
            Some(answer) if answer.status() == StatusCode::NOT_FOUND => Missing::Unseen,
            _ => Missing::Away(owner.service.clone()),
        };
        let path = format!("/api/v1/{collection}/{number}");
        let record = self.switch.ask(owner, &self.token, &path, None).await;
        let mut record: Map<String, Value> = record.map_err(why_not)?;
        record.remove("offers");
        let links = self.switch.ask(owner, &self.token, &format!("{path}/links"), None).await;
        let Links { items } = links.map_err(why_not)?;
        let links =
            items.into_iter().map(|link| Step { relation: link.relation, to: link.to.number });
        Ok(Member { distance, record, links: links.collect() })
    }
}

fn number_of(record: &Map<String, Value>) -> String {
    record.get("number").and_then(Value::as_str).unwrap_or_default().to_owned()
}
