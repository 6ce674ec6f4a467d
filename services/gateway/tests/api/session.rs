//! Signing in at the console: with a link, a token or a password; and what a session may not.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::desk::{ADMINISTRATOR, Answer, Desk, Wishes, morning};

const PASSWORD: &str = "four words are a password";

/// A browser that is signed in: its cookie, and the token for changes.
struct Browser<'a> {
    desk: &'a Desk,
    cookie: String,
    csrf: String,
}

impl Browser<'_> {
    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.desk.request(method, path).header("cookie", &self.cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.json(&json!({"name": "Ada"})).send().await.unwrap()).await
    }
}

async fn show(desk: &Desk, what: &Value) -> Answer {
    let request = desk.request(Method::POST, "/api/v1/session").json(what);
    Answer::of(request.send().await.unwrap()).await
}

async fn sign_in<'a>(desk: &'a Desk, what: &Value) -> Browser<'a> {
    let answer = show(desk, what).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{:#}", answer.body);
    assert_eq!(answer.headers["cache-control"], "no-store");
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let csrf = answer.body["csrf_token"].as_str().expect("a token").to_owned();
    Browser { desk, cookie, csrf }
}

/// A person with a login and a password.
async fn ada(desk: &Desk) -> String {
    let person = json!({"name": "Ada", "login": "ada", "roles": ["agent"]});
    let ada = desk.administrator().open("persons", person).await;
    let set = set_password(desk, &ada, PASSWORD).await;
    assert_eq!(set.status, StatusCode::CREATED, "{:#}", set.body);
    ada
}

async fn set_password(desk: &Desk, person: &str, password: &str) -> Answer {
    let body = json!({"person": person, "password": password});
    desk.administrator().post("/api/v1/passwords", &body).await
}

#[tokio::test]
async fn a_link_signs_in_once() {
    let desk = Desk::alone().await;
    let ticket = json!({ "ticket": desk.gateway.tickets.issue().expect("random") });
    let browser = sign_in(&desk, &ticket).await;
    let who = browser.ask(Method::GET, "/api/v1/session", &[]).await;
    assert_eq!(who.body["id"], "key:administrator");
    assert_eq!(who.body["csrf_token"], browser.csrf);
    assert_eq!(show(&desk, &ticket).await.problem(), (401, "unauthenticated"));
}

#[tokio::test]
async fn a_person_signs_in_with_login_and_password_alone() {
    let desk = Desk::alone().await;
    let number = ada(&desk).await;
    let browser = sign_in(&desk, &json!({"login": "ada", "password": PASSWORD})).await;
    let who = browser.ask(Method::GET, "/api/v1/session", &[]).await;
    assert_eq!(who.body["id"], format!("person:{number}"));
    assert_eq!(who.body["roles"], json!(["agent"]));
    for (login, password) in [("ada", "four words are a passwore"), ("bob", PASSWORD), ("", "")] {
        let refused = show(&desk, &json!({"login": login, "password": password})).await;
        assert_eq!(refused.problem(), (401, "unauthenticated"), "{login}");
        assert_eq!(refused.body["detail"], "Login and password do not fit.");
    }

    // Neither the password nor what is kept of it is in any record, history or list.
    let administrator = desk.administrator();
    let passwords = administrator.get("/api/v1/passwords").await.body;
    assert_eq!(passwords["items"][0]["data"], json!({ "person": number }));
    let history = administrator.get("/api/v1/passwords/PWD0000001/history").await.body;
    for text in [passwords.to_string(), history.to_string()] {
        assert!(!text.contains("digest") && !text.contains(PASSWORD), "{text}");
    }

    // A new password replaces the old one; who has left comes in no more.
    let next = "five other words are one";
    assert_eq!(set_password(&desk, &number, next).await.status, StatusCode::CREATED);
    let old = show(&desk, &json!({"login": "ada", "password": PASSWORD})).await;
    assert_eq!(old.problem(), (401, "unauthenticated"));
    sign_in(&desk, &json!({"login": "ada", "password": next})).await;
    let left = format!("/api/v1/persons/{number}/transitions/leave");
    assert_eq!(administrator.post(&left, &json!({})).await.status, StatusCode::OK);
    let gone = show(&desk, &json!({"login": "ada", "password": next})).await;
    assert_eq!(gone.problem(), (401, "unauthenticated"));
    let still = browser.ask(Method::GET, "/api/v1/session", &[]).await;
    assert_eq!(still.problem(), (401, "unauthenticated"));
}

#[tokio::test]
async fn a_password_that_cannot_be_set_says_why() {
    let desk = Desk::alone().await;
    let number = ada(&desk).await;
    assert_eq!(set_password(&desk, &number, "short").await.problem(), (422, "invalid"));
    assert_eq!(set_password(&desk, "PER0000099", PASSWORD).await.problem(), (422, "invalid"));
    let nameless = desk.administrator().open("persons", json!({"name": "Bob"})).await;
    let refused = set_password(&desk, &nameless, PASSWORD).await;
    assert_eq!(refused.problem(), (422, "invalid"));
    assert_eq!(refused.body["errors"][0]["code"], "login");
    let twin = json!({"name": "Ada Two", "login": "ada"});
    let twin = desk.administrator().open("persons", twin).await;
    assert_eq!(set_password(&desk, &twin, PASSWORD).await.body["errors"][0]["code"], "login");
    // Two who share a login: neither comes in, because nobody knows whom it means.
    let both = show(&desk, &json!({"login": "ada", "password": PASSWORD})).await;
    assert_eq!(both.problem(), (401, "unauthenticated"));
    let (other, _) = desk.key(json!({"name": "W", "scopes": ["records:write"]})).await;
    let body = json!({"person": number, "password": PASSWORD});
    assert_eq!(other.post("/api/v1/passwords", &body).await.problem(), (403, "role"));
}

#[tokio::test]
async fn another_site_changes_nothing_in_a_sessions_name() {
    let desk = Desk::alone().await;
    let browser = sign_in(&desk, &json!({ "token": ADMINISTRATOR })).await;
    let open = async |headers: &[(&str, &str)]| {
        browser.ask(Method::POST, "/api/v1/persons", headers).await
    };
    assert_eq!(open(&[]).await.problem(), (403, "csrf"));
    assert_eq!(open(&[("x-csrf-token", "guess")]).await.problem(), (403, "csrf"));
    let elsewhere = [("x-csrf-token", browser.csrf.as_str()), ("origin", "https://evil.example")];
    assert_eq!(open(&elsewhere).await.problem(), (403, "csrf"));
    assert_eq!(open(&[("x-csrf-token", &browser.csrf)]).await.status, StatusCode::CREATED);
    let read = browser.ask(Method::GET, "/api/v1/persons", &[]).await;
    assert_eq!(read.body["items"].as_array().map(Vec::len), Some(1));

    // Nor does another site sign anybody in, as whom it likes.
    let request = desk.request(Method::POST, "/api/v1/session");
    let request = request.header("origin", "https://evil.example");
    let answer = request.json(&json!({ "token": ADMINISTRATOR })).send().await.unwrap();
    assert_eq!(Answer::of(answer).await.problem(), (403, "csrf"));
    // The secret of a cookie is no token.
    let secret = browser.cookie.split_once('=').unwrap().1;
    let answer = desk.caller(secret).get("/api/v1/persons").await;
    assert_eq!(answer.problem(), (401, "unauthenticated"));
}

#[tokio::test]
async fn a_session_ends_with_its_sign_out() {
    let desk = Desk::alone().await;
    let browser = sign_in(&desk, &json!({ "token": ADMINISTRATOR })).await;
    let csrf = [("x-csrf-token", browser.csrf.as_str())];
    let who = browser.ask(Method::GET, "/api/v1/session", &[]).await;
    let record = desk.administrator().get("/api/v1/sessions/SES0000001").await;
    assert_eq!(who.body["session"], record.body["id"]);
    assert_eq!(browser.ask(Method::DELETE, "/api/v1/session", &[]).await.problem(), (403, "csrf"));
    let out = browser.ask(Method::DELETE, "/api/v1/session", &csrf).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(out.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    let after = browser.ask(Method::GET, "/api/v1/session", &[]).await;
    assert_eq!(after.problem(), (401, "unauthenticated"));
    let record = desk.administrator().get("/api/v1/sessions/SES0000001").await;
    assert_eq!(record.body["state"], "ended");
}

#[tokio::test]
async fn a_session_lasts_no_longer_than_a_day_or_its_key() {
    let desk = Desk::with(Wishes { manual_clock: true, ..Wishes::default() }).await;
    let scopes = ["records:read", "records:write"];
    let (key, made) = desk.key(json!({"name": "Ada's", "scopes": scopes})).await;
    let by_key = sign_in(&desk, &json!({ "token": key.token })).await;
    let by_token = sign_in(&desk, &json!({ "token": ADMINISTRATOR })).await;
    let is_in = async |browser: &Browser<'_>| {
        browser.ask(Method::GET, "/api/v1/session", &[]).await.status == StatusCode::OK
    };
    assert!(is_in(&by_key).await && is_in(&by_token).await);
    let revoke =
        format!("/api/v1/api-keys/{}/transitions/revoke", made["number"].as_str().unwrap());
    assert_eq!(desk.administrator().post(&revoke, &json!({})).await.status, StatusCode::OK);
    assert!(!is_in(&by_key).await && is_in(&by_token).await);
    let later = morning() + chrono::TimeDelta::hours(12);
    let moved = desk.administrator().post("/api/v1/clock", &json!({ "to": later })).await;
    assert_eq!(moved.status, StatusCode::OK, "{:#}", moved.body);
    assert!(!is_in(&by_token).await);
    let record = desk.administrator().get("/api/v1/sessions/SES0000002").await;
    assert_eq!(record.body["state"], "expired");
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let desk = Desk::alone().await;
    let mut statuses = Vec::new();
    for _ in 0..21 {
        statuses.push(show(&desk, &json!({"ticket": "guess"})).await.status.as_u16());
    }
    assert_eq!((statuses[19], statuses[20]), (401, 429));
}

/// A link for a person, as the administrator's console shows it.
async fn link(desk: &Desk, person: &str) -> Value {
    let made =
        desk.administrator().post("/api/v1/sign-in-links", &json!({ "person": person })).await;
    assert_eq!(made.status, StatusCode::CREATED, "{:#}", made.body);
    assert_eq!(made.headers["cache-control"], "no-store");
    json!({ "ticket": made.body["ticket"] })
}

async fn set_own(browser: &Browser<'_>, body: &Value) -> Answer {
    let request = browser.desk.request(Method::POST, "/api/v1/session/password");
    let request = request.header("cookie", &browser.cookie).header("x-csrf-token", &browser.csrf);
    Answer::of(request.json(body).send().await.unwrap()).await
}

#[tokio::test]
async fn an_invited_person_comes_in_once_and_sets_a_password() {
    let desk = Desk::alone().await;
    let person = json!({"name": "Ada", "login": "ada", "roles": ["agent"]});
    let ada = desk.administrator().open("persons", person).await;
    let ticket = link(&desk, &ada).await;
    let browser = sign_in(&desk, &ticket).await;
    let who = browser.ask(Method::GET, "/api/v1/session", &[]).await;
    assert_eq!(who.body["id"], format!("person:{ada}"));
    assert_eq!(show(&desk, &ticket).await.problem(), (401, "unauthenticated"));
    let short = set_own(&browser, &json!({"password": "short"})).await;
    assert_eq!(
        (short.problem(), &short.body["errors"][0]["path"]),
        ((422, "invalid"), &json!("/password"))
    );
    let set = set_own(&browser, &json!({"password": PASSWORD})).await;
    assert_eq!(set.status, StatusCode::NO_CONTENT, "{:#}", set.body);
    sign_in(&desk, &json!({"login": "ada", "password": PASSWORD})).await;

    // What became of the link is its history; its ticket is nowhere.
    let administrator = desk.administrator();
    let used = administrator.get("/api/v1/sign-in-links/LNK0000001").await.body;
    assert_eq!((&used["state"], &used["data"]["person"]), (&json!("used"), &json!(ada)));
    let history = administrator.get("/api/v1/sign-in-links/LNK0000001/history").await.body;
    assert!(!history.to_string().contains("digest"), "{history}");
    // Whoever has left comes in by no link that was made before.
    let late = link(&desk, &ada).await;
    let left = format!("/api/v1/persons/{ada}/transitions/leave");
    assert_eq!(administrator.post(&left, &json!({})).await.status, StatusCode::OK);
    assert_eq!(show(&desk, &late).await.problem(), (401, "unauthenticated"));
}

#[tokio::test]
async fn a_link_is_made_by_an_administrator_and_grows_old() {
    let desk = Desk::with(Wishes { manual_clock: true, ..Wishes::default() }).await;
    let ada = ada(&desk).await;
    let (other, _) = desk.key(json!({"name": "W", "scopes": ["records:write"]})).await;
    let refused = other.post("/api/v1/sign-in-links", &json!({ "person": ada })).await;
    assert_eq!(refused.problem(), (403, "role"));
    let nobody = json!({ "person": "PER0000099" });
    let unknown = desk.administrator().post("/api/v1/sign-in-links", &nobody).await;
    assert_eq!(unknown.problem(), (422, "invalid"));
    let ticket = link(&desk, &ada).await;
    let later = morning() + chrono::TimeDelta::hours(72);
    let moved = desk.administrator().post("/api/v1/clock", &json!({ "to": later })).await;
    assert_eq!(moved.status, StatusCode::OK, "{:#}", moved.body);
    assert_eq!(show(&desk, &ticket).await.problem(), (401, "unauthenticated"));
    let record = desk.administrator().get("/api/v1/sign-in-links/LNK0000001").await;
    assert_eq!(record.body["state"], "expired");
}

#[tokio::test]
async fn a_person_changes_their_own_password_and_is_out_elsewhere() {
    let desk = Desk::alone().await;
    let ada = ada(&desk).await;
    let by_password = json!({"login": "ada", "password": PASSWORD});
    let here = sign_in(&desk, &by_password).await;
    let elsewhere = sign_in(&desk, &by_password).await;
    let next = "five other words are one";
    for wrong in [json!({"password": next}), json!({"current": "a guess at it", "password": next})]
    {
        let refused = set_own(&here, &wrong).await;
        assert_eq!(refused.problem(), (422, "invalid"));
        assert_eq!(refused.body["errors"][0]["path"], "/current");
    }
    let set = set_own(&here, &json!({"current": PASSWORD, "password": next})).await;
    assert_eq!(set.status, StatusCode::NO_CONTENT, "{:#}", set.body);
    let still = here.ask(Method::GET, "/api/v1/session", &[]).await;
    assert_eq!(still.status, StatusCode::OK);
    let gone = elsewhere.ask(Method::GET, "/api/v1/session", &[]).await;
    assert_eq!(gone.problem(), (401, "unauthenticated"));
    assert_eq!(show(&desk, &by_password).await.problem(), (401, "unauthenticated"));
    sign_in(&desk, &json!({"login": "ada", "password": next})).await;
    let history = desk.administrator().get("/api/v1/passwords/PWD0000001/history").await.body;
    assert_eq!(history["items"][1]["actor"]["id"], format!("person:{ada}"));
    // The administrator's token is nobody's password.
    let root = sign_in(&desk, &json!({ "token": ADMINISTRATOR })).await;
    let refused = set_own(&root, &json!({"password": next})).await;
    assert_eq!(refused.problem(), (409, "no_person"));
}
