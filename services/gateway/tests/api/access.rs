//! Who comes in, with what, and who does not.

use contract::{IDENTITY_HEADER, ProcessDescriptor};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::desk::{Answer, Desk, Wishes};
use crate::services::{descriptor, mirror};

#[tokio::test]
async fn without_a_token_nobody_comes_in() {
    let desk = Desk::alone().await;
    for path in ["/api/v1/persons", "/api/v1/openapi.json", "/api/v1/events", "/api/v1/unknown"] {
        for token in [None, Some("Bearer unknown"), Some("Basic YTpi"), Some("Bearer")] {
            let mut request = desk.request(Method::GET, path);
            if let Some(token) = token {
                request = request.header("authorization", token);
            }
            let answer = Answer::of(request.send().await.unwrap()).await;
            assert_eq!(answer.problem(), (401, "unauthenticated"), "{path} {token:?}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
    let sent = desk.request(Method::POST, "/api/v1/intake/alertmanager").body("{}").send().await;
    assert_eq!(sent.unwrap().status(), StatusCode::UNAUTHORIZED);
    for path in ["/healthz", "/readyz", "/metrics"] {
        let answer = desk.request(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn an_identity_from_outside_is_not_believed() {
    let desk = Desk::with(Wishes {
        upstreams: [("mirror".to_owned(), mirror())].into(),
        descriptors: vec![descriptor("mirror", "incidents")],
        ..Wishes::default()
    })
    .await;
    let forged = desk
        .request(Method::GET, "/api/v1/incidents")
        .header(IDENTITY_HEADER, "forged")
        .send()
        .await;
    assert_eq!(forged.unwrap().status(), StatusCode::UNAUTHORIZED);
    let mixed = desk.administrator().request(Method::GET, "/api/v1/incidents");
    let answer = Answer::of(mixed.header(IDENTITY_HEADER, "forged").send().await.unwrap()).await;
    let token = answer.body["identity"].as_str().expect("vouched for");
    let identity = desk.verifier.verify(token).expect("our own token");
    assert_eq!(identity.actor.id, "key:administrator");
    let roles: Vec<_> = identity.actor.roles.iter().map(String::as_str).collect();
    assert_eq!(roles, ["administrator", "agent", "auditor", "mirror_agent"]);
    assert_eq!(answer.body["authorization"], json!(null));
}

#[tokio::test]
async fn a_key_lives_from_its_making_to_its_revocation() {
    let desk = Desk::alone().await;
    let administrator = desk.administrator();
    let (key, made) =
        desk.key(json!({"name": "Reports", "scopes": ["records:read", "records:write"]})).await;
    let secret = key.token.clone();
    assert!(secret.starts_with("stw_") && secret.len() == 68, "{secret}");
    let number = made["number"].as_str().unwrap();
    assert_eq!(
        made["data"],
        json!({"name": "Reports", "scopes": ["records:read", "records:write"]})
    );

    // Shown once, and neither it nor its digest anywhere else.
    let digest = hex::encode(gateway::access::secret::digest(&secret));
    let root = format!("/api/v1/api-keys/{number}");
    for path in [root.clone(), format!("{root}/history"), "/api/v1/api-keys".to_owned()] {
        let answer = administrator.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let text = answer.body.to_string();
        assert!(text.contains(number) || path.ends_with("history"), "{text}");
        assert!(!text.contains(&secret) && !text.contains(&digest), "{text}");
    }

    assert_eq!(key.get("/api/v1/persons").await.status, StatusCode::OK);
    let revoked = administrator.post(&format!("{root}/transitions/revoke"), &json!({})).await;
    assert_eq!(revoked.body["state"], "revoked");
    assert_eq!(key.get("/api/v1/persons").await.problem(), (401, "unauthenticated"));
}

#[tokio::test]
async fn a_key_reaches_as_far_as_its_scopes() {
    let desk = Desk::alone().await;
    let sender = desk.sender().await;
    assert_eq!(sender.get("/api/v1/persons").await.problem(), (403, "scope"));
    assert_eq!(sender.get("/api/v1/processes").await.problem(), (403, "scope"));
    let (reader, _) = desk.key(json!({"name": "Wall", "scopes": ["records:read"]})).await;
    assert_eq!(reader.get("/api/v1/persons").await.status, StatusCode::OK);
    let opened = reader.post("/api/v1/persons", &json!({"name": "Ada"})).await;
    assert_eq!(opened.problem(), (403, "scope"));
    let alert = reader.post("/api/v1/intake/alertmanager", &json!({"alerts": []})).await;
    assert_eq!(alert.problem(), (403, "scope"));
    let (writer, _) =
        desk.key(json!({"name": "W", "scopes": ["records:read", "records:write"]})).await;
    assert_eq!(
        writer.post("/api/v1/persons", &json!({"name": "A"})).await.problem(),
        (403, "role")
    );
    let body = json!({"name": "A", "scopes": ["records:read"]});
    assert_eq!(writer.post("/api/v1/api-keys", &body).await.problem(), (403, "role"));
}

#[tokio::test]
async fn a_key_that_cannot_be_made_says_all_that_is_wrong() {
    let desk = Desk::alone().await;
    let administrator = desk.administrator();
    let make = async |body| administrator.post("/api/v1/api-keys", &body).await;
    let answer = make(json!({"scopes": ["everything"], "hash": "x"})).await;
    assert_eq!(answer.problem(), (422, "invalid"));
    let answer = make(json!({"scopes": ["everything"]})).await;
    assert_eq!(answer.problem(), (422, "invalid"));
    let paths: Vec<_> =
        answer.body["errors"].as_array().unwrap().iter().map(|e| &e["path"]).collect();
    assert!(paths.contains(&&json!("/name")) && paths.contains(&&json!("/scopes/0")), "{paths:?}");
    let unknown = json!({"name": "A", "scopes": ["records:read"], "person": "PER0000009"});
    assert_eq!(make(unknown).await.problem(), (422, "invalid"));
    assert_eq!(make(json!([])).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_repeated_request_makes_one_key_and_shows_its_secret_once() {
    let desk = Desk::alone().await;
    let make = async || {
        let request = desk.administrator().request(Method::POST, "/api/v1/api-keys");
        let body = json!({"name": "Once", "scopes": ["alerts:write"]});
        let sent = request.header("idempotency-key", "k1").json(&body).send().await;
        Answer::of(sent.unwrap()).await
    };
    let (first, second) = (make().await, make().await);
    assert_eq!((first.status, second.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!(first.body["number"], second.body["number"]);
    assert!(first.body["secret"].is_string() && second.body["secret"].is_null());
    let caller = desk.caller(first.body["secret"].as_str().unwrap());
    assert_eq!(caller.get("/api/v1/persons").await.problem(), (403, "scope"));
}

#[tokio::test]
async fn a_persons_key_acts_with_the_roles_of_person_and_groups() {
    let desk = Desk::with(Wishes {
        upstreams: [("mirror".to_owned(), mirror())].into(),
        descriptors: vec![descriptor("mirror", "incidents")],
        ..Wishes::default()
    })
    .await;
    let administrator = desk.administrator();
    let ada = administrator
        .open("persons", json!({"name": "Ada", "email": "ada@example.org", "roles": ["agent"]}))
        .await;
    let group = json!({"name": "Network", "members": [ada], "roles": ["mirror_agent"]});
    let network = administrator.open("groups", group).await;
    let scopes = ["records:read", "records:write"];
    let (key, _) = desk.key(json!({"name": "Ada's", "scopes": scopes, "person": ada})).await;
    let seen = async || {
        let answer = key.get("/api/v1/incidents").await;
        let token = answer.body["identity"].as_str().expect("vouched for").to_owned();
        desk.verifier.verify(&token).expect("our own token")
    };
    let identity = seen().await;
    assert_eq!(identity.actor.id, format!("person:{ada}"));
    assert_eq!(identity.actor.name, "Ada");
    assert_eq!(identity.actor.roles, ["agent", "mirror_agent"].map(str::to_owned).into());
    assert_eq!(identity.actor.groups, [network.clone()].into());
    assert_eq!(*identity.scopes, scopes.map(str::to_owned));

    // What changes through this gateway counts at once.
    let dissolved = format!("/api/v1/groups/{network}/transitions/dissolve");
    assert_eq!(administrator.post(&dissolved, &json!({})).await.status, StatusCode::OK);
    assert_eq!(seen().await.actor.roles, ["agent".to_owned()].into());
    let left = format!("/api/v1/persons/{ada}/transitions/leave");
    assert_eq!(administrator.post(&left, &json!({})).await.status, StatusCode::OK);
    assert_eq!(key.get("/api/v1/incidents").await.problem(), (401, "unauthenticated"));
}

#[tokio::test]
async fn nobody_is_given_the_role_of_the_system() {
    let desk = Desk::alone().await;
    let body = json!({"name": "Mallory", "roles": ["system"]});
    let answer = desk.administrator().post("/api/v1/persons", &body).await;
    assert_eq!(answer.problem(), (422, "invalid"));
}

#[tokio::test]
async fn a_key_ends_when_it_said_it_would() {
    let desk = Desk::with(Wishes { manual_clock: true, ..Wishes::default() }).await;
    let until = "2026-03-14T09:00:00Z";
    let (key, _) =
        desk.key(json!({"name": "Short", "scopes": ["records:read"], "expires_at": until})).await;
    assert_eq!(key.get("/api/v1/persons").await.status, StatusCode::OK);
    let moved = desk.administrator().post("/api/v1/clock", &json!({"advance": "PT1H"})).await;
    assert_eq!(
        (moved.status, &moved.body["now"]),
        (StatusCode::OK, &json!("2026-03-14T09:00:00.000000Z"))
    );
    assert_eq!(key.get("/api/v1/persons").await.problem(), (401, "unauthenticated"));
}

#[tokio::test]
async fn guessing_is_slowed_down_and_good_keys_are_not() {
    let desk = Desk::alone().await;
    let (reader, _) = desk.key(json!({"name": "Wall", "scopes": ["records:read"]})).await;
    let mut last = StatusCode::UNAUTHORIZED;
    for guess in 0..30 {
        let answer = desk.caller(&format!("stw_{guess}")).get("/api/v1/persons").await;
        last = answer.status;
        if last == StatusCode::TOO_MANY_REQUESTS {
            assert_eq!(answer.problem(), (429, "too_many_failures"));
            assert!(answer.headers.contains_key("retry-after"));
        }
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(reader.get("/api/v1/persons").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_service_that_comes_later_gives_the_administrator_its_roles() {
    let desk = Desk::with(Wishes {
        upstreams: [("mirror".to_owned(), mirror())].into(),
        ..Wishes::default()
    })
    .await;
    assert_eq!(desk.administrator().get("/api/v1/incidents").await.problem(), (404, "unknown"));
    let mut later = descriptor("mirror", "incidents");
    later.processes.push(ProcessDescriptor {
        process: "problem".to_owned(),
        collection: "problems".to_owned(),
        prefix: "PRB".to_owned(),
        roles: vec!["problem_manager".to_owned()],
    });
    desk.gateway.routes.learn(later);
    let answer = desk.administrator().get("/api/v1/problems").await;
    let identity = desk.verifier.verify(answer.body["identity"].as_str().unwrap()).unwrap();
    assert!(identity.actor.has_role("problem_manager"));
}
