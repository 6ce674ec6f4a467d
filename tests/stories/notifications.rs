//! Being told: by mail and webhook, with proof of what went to whom, when, and whether it arrived.

use std::time::Duration;

use acceptance::{Door, Options, Platform, Sink, until};
use serde_json::{Value, json};
use testkit::free_port;

use crate::{
    hands::{Hand, number},
    promises::{AT, number_of},
};

/// All notifications of a record, the oldest first.
async fn told(door: &Door, number: &str) -> Vec<Value> {
    let query = format!("?filter=record.of_number%20%3D%3D%20'{number}'&sort=number");
    door.all("/api/v1/notifications", &query).await
}

fn of<'a>(all: &'a [Value], rule: &str, to: &str) -> &'a Value {
    let found = all.iter().find(|one| one["data"]["rule"] == rule && one["data"]["to"] == to);
    found.unwrap_or_else(|| panic!("{rule} to {to}: {all:#?}"))
}

/// Proves: PLT-9
#[tokio::test]
async fn who_is_told_is_told_even_when_the_mail_server_was_away_and_there_is_proof() {
    let (smtp, http) = (free_port(), free_port());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("steward.toml");
    let config = format!(
        "[notify]\nsmtp_url = \"smtp://127.0.0.1:{smtp}\"\nfrom = \"Desk <desk@helios.example>\"\n\
         [notify.webhooks.chat]\nurl = \"http://127.0.0.1:{http}/hook\"\nsecret = \"shared\"\n\
         told_with = [\"role:incident_manager\"]\n"
    );
    std::fs::write(&file, config).expect("the file is written");
    let file = file.display().to_string();
    let options = Options::default().with(&["--clock", AT, "--config", &file]);
    let mut platform = Platform::up(options).await;
    let agent = platform.person("Ada", &["agent", "incident_manager"]).await;
    let rita = platform.person("Rita", &["requester"]).await;
    let reporter = number_of(&platform, "Rita").await;
    let reporter = reporter.as_str().expect("a number");
    let patch = json!({ "email": "rita@meridian.example" });
    let _ = platform.patch(&format!("/api/v1/persons/{reporter}"), &patch).await.good();

    // The mail server is away: nothing is lost, and nobody's command waits for it.
    let report = json!({
        "title": "Payments hang", "impact": "high", "urgency": "high", "reporter": reporter,
    });
    let opened = agent.post("/api/v1/incidents", &report).await.good();
    let number = opened["number"].as_str().expect("a number");
    platform.pass("PT1S").await;
    let to = format!("person:{reporter}");
    let waiting = told(&platform, number).await;
    let logged = of(&waiting, "logged", &to);
    assert_eq!((&logged["state"], &logged["data"]["tries"]), (&json!("waiting"), &json!(1)));
    assert!(logged["data"]["reason"].as_str().is_some_and(|why| !why.is_empty()), "{logged}");

    platform.kill();
    platform.start().await;
    let (mail, hook) = (Sink::mail(smtp).await, Sink::http(http).await);
    platform.pass("PT2M").await;
    let letters = mail.taken();
    assert_eq!(letters.len(), 1, "{letters:#?}");
    assert!(letters[0].contains("To: rita@meridian.example"), "{}", letters[0]);
    assert!(letters[0].contains(&format!("Subject: {number} is logged: Payments hang")));
    let id = logged["id"].as_str().expect("an id");
    assert!(letters[0].contains(&format!("Message-ID: <{id}@helios.example>")), "{}", letters[0]);
    let seen = told(&rita, number).await;
    let logged = of(&seen, "logged", &to);
    assert_eq!(logged["state"], "delivered");
    assert!(
        logged["data"]["reply"].as_str().is_some_and(|reply| reply.contains("taken by the sink"))
    );
    assert_eq!(logged["data"]["address"], "rita@meridian.example");
    assert!(logged["data"]["sent_at"].is_string());

    // What is told stands in the history of the record, too.
    let history = agent.get(&format!("/api/v1/incidents/{number}/history")).await.good();
    let entries = history["items"].as_array().expect("entries").iter();
    let notified: Vec<&Value> = entries.filter(|entry| entry["event"] == "notified").collect();
    assert_eq!(notified[0]["notices"][0]["to"], json!([to]));

    // A person without an address cannot be told, and that is on record; a webhook is told all the same.
    let path = format!("/api/v1/incidents/{number}");
    let promise = crate::promises::Parties::of(&platform).await;
    let _ = promise.sign(&platform, json!({})).await;
    let second = agent.post("/api/v1/incidents", &report).await.good();
    let late = second["number"].as_str().expect("a number");
    platform.pass("P2D").await;
    let all = told(&platform, late).await;
    let hooked = of(&all, "escalated", "webhook:chat");
    assert_eq!(hooked["state"], "delivered", "{hooked}");
    let ada = number_of(&platform, "Ada").await;
    let missed = of(&all, "escalated", &format!("person:{}", ada.as_str().expect("a number")));
    assert_eq!(missed["state"], "failed");
    assert_eq!(missed["data"]["reason"], "Ada has no e-mail address");
    let requests = hook.taken();
    let request =
        requests.iter().find(|request| request.contains(late)).expect("the webhook is told");
    assert!(request.starts_with("POST /hook") && request.contains("webhook-signature: v1,"));
    assert_eq!(rita.get("/api/v1/notifications").await.status, 200);
    assert_eq!(platform.post("/api/v1/notifications", &json!({})).await.status, 405);
    let _ = agent.get(&path).await.good();
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// Who sends is killed when the letter is taken and before that is written down: it goes again, under the
/// same id, and whoever reads the proof sees that it may have arrived twice.
#[tokio::test]
async fn what_was_sent_by_who_was_killed_goes_again_under_its_id_and_says_so() {
    let (smtp, http) = (free_port(), free_port());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("steward.toml");
    let path = file.display().to_string();
    std::fs::write(&file, "").expect("the file is written");
    let options = Options::default().with(&["--clock", AT, "--config", &path]);
    let mut platform = Platform::up(options).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let _ = platform.person("Rita", &["requester"]).await;
    let reporter = number_of(&platform, "Rita").await;
    let reporter = reporter.as_str().expect("a number");
    let patch = json!({ "email": "rita@meridian.example" });
    let _ = platform.patch(&format!("/api/v1/persons/{reporter}"), &patch).await.good();
    platform.kill();
    let config = format!(
        "[notify]\nsmtp_url = \"smtp://127.0.0.1:{smtp}\"\nfrom = \"Desk <desk@helios.example>\"\n\
         [notify.webhooks.chat]\nurl = \"http://127.0.0.1:{http}/hook\"\nsecret = \"shared\"\n\
         told_with = [\"person:{reporter}\"]\n"
    );
    std::fs::write(&file, config).expect("the file is written");
    platform.start().await;
    let (mail, hook) = (Sink::mail(smtp).await, Sink::http(http).await);
    mail.be_silent(true);
    hook.be_silent(true);

    let report = json!({
        "title": "Payments hang", "impact": "high", "urgency": "high", "reporter": reporter,
    });
    let opened = agent.post("/api/v1/incidents", &report).await.good();
    let number = opened["number"].as_str().expect("a number");
    until("both are taken", Duration::from_secs(20), || async {
        mail.taken().len() == 1 && hook.taken().len() == 1
    })
    .await;
    for one in told(&platform, number).await {
        assert_eq!((&one["state"], &one["data"]["tries"]), (&json!("waiting"), &json!(0)));
        assert!(one["data"]["begun_at"].is_string(), "{one}");
    }
    platform.kill();
    mail.be_silent(false);
    hook.be_silent(false);
    platform.start().await;
    // Whoever was killed holds the turn for some seconds yet.
    until("both are sent again", Duration::from_secs(60), || async {
        platform.pass("PT1S").await;
        told(&platform, number).await.iter().all(|one| one["state"] == "delivered")
    })
    .await;
    let all = told(&platform, number).await;
    assert_eq!(all.len(), 2, "{all:#?}");
    for one in &all {
        assert_eq!(one["data"]["is_perhaps_double"], true, "{one}");
        let id = one["id"].as_str().expect("an id");
        let (taken, named) = match one["data"]["to"].as_str() {
            Some("webhook:chat") => (hook.taken(), format!("webhook-id: {id}")),
            _ => (mail.taken(), format!("Message-ID: <{id}@helios.example>")),
        };
        assert_eq!(taken.len(), 2, "{taken:#?}");
        assert!(taken.iter().all(|letter| letter.contains(&named)), "{named}: {taken:#?}");
    }

    // What nobody interrupts arrives once, and says nothing of the kind.
    let second = agent.post("/api/v1/incidents", &report).await.good();
    platform.pass("PT1S").await;
    for one in told(&platform, second["number"].as_str().expect("a number")).await {
        assert_eq!((&one["state"], &one["data"]["begun_at"]), (&json!("delivered"), &Value::Null));
        assert_eq!(one["data"]["is_perhaps_double"], false, "{one}");
    }
    assert_eq!((mail.taken().len(), hook.taken().len()), (3, 3));
}

/// Proves: INC-7
#[tokio::test]
async fn who_reported_it_hears_of_it_as_often_as_its_priority_says() {
    let options = Options::default().with(&["--clock", AT]);
    let platform = Platform::up(options).await;
    let agent = platform.person("Ada", &["agent"]).await;
    let assignee = number_of(&platform, "Ada").await;
    let _ = platform.person("Rita", &["requester"]).await;
    let reporter = number_of(&platform, "Rita").await;
    let to = format!("person:{}", reporter.as_str().expect("a number"));
    let report = json!({ "title": "Payments hang", "impact": "high", "urgency": "high", "reporter": reporter });
    let opened = agent.post("/api/v1/incidents", &report).await.good();
    let number = opened["number"].as_str().expect("a number");
    let path = format!("/api/v1/incidents/{number}");
    let take = async |step: &str, with: Value| {
        agent.post(&format!("{path}/transitions/{step}"), &with).await.good()
    };
    take("assign", json!({ "group": "Payments", "assignee": assignee })).await;
    take("start", json!({})).await;

    // The first priority is told of each half hour; who lets it pass hears that, and it is seen on the record.
    platform.pass("PT29M").await;
    take("inform", json!({ "update": "A second server is started." })).await;
    platform.pass("PT29M").await;
    assert_eq!(agent.get(&path).await.good()["data"]["is_silent"], false);
    platform.pass("PT2M").await;
    let silent = agent.get(&path).await.good();
    assert_eq!(
        (&silent["data"]["is_silent"], &silent["data"]["updates"]),
        (&json!(true), &json!(1))
    );
    take("inform", json!({ "update": "It answers again." })).await;
    take("hold", json!({ "hold_reason": "caller" })).await;
    take("resume", json!({})).await;
    let done = json!({ "resolution_code": "fixed", "resolution": "One more server." });
    take("resolve", done).await;
    assert_eq!(agent.get(&path).await.good()["data"]["is_silent"], false);
    platform.pass("PT1S").await;
    let all = told(&platform, number).await;
    let rules = |to: &str| -> Vec<&str> {
        let theirs = all.iter().filter(|one| one["data"]["to"] == to);
        theirs.filter_map(|one| one["data"]["rule"].as_str()).collect()
    };
    assert_eq!(rules(&to), ["logged", "informed", "informed", "held", "resolved"]);
    assert_eq!(rules(&format!("person:{}", assignee.as_str().expect("a number"))), ["silent"]);
}

/// Whom a change concerns hears when it is made, each time that it moves, and when it is made instead.
#[tokio::test]
async fn whom_a_change_concerns_hears_when_it_is_made_and_when_it_moves() {
    let platform = Platform::up(Options::default().with(&["--clock", AT])).await;
    let omar = Hand::of(&platform, "Omar", &["change_manager"]).await;
    let rita = Hand::of(&platform, "Rita", &["agent"]).await;
    let (owner, dave) =
        (Hand::of(&platform, "Ines", &[]).await, Hand::of(&platform, "Dave", &[]).await);
    let change = json!({
        "title": "Renew the switches", "service": "SVC-PAY", "type": "normal", "requester": rita.number,
        "service_owner": owner.number, "implementer": dave.number, "description": "Twelve of them.", "benefit": "They are old.",
        "plan": "One by one.", "backout": "The old ones stay.", "cost_estimate": 900,
        "outage_minutes": 20, "window": { "from": "2026-03-07T20:00:00Z", "to": "2026-03-07T23:00:00Z" },
    });
    let change = rita.open("changes", change).await;
    rita.take(&change, "submit", json!({})).await;
    omar.amend(&change, json!({ "likelihood": "low", "effect": "low" })).await;
    omar.take(&change, "assess", json!({})).await;
    let tasks = omar.read(&format!("{change}/tasks")).await;
    for task in tasks["items"].as_array().expect("tasks") {
        let path = format!("{change}/tasks/{}", task["id"]);
        let _ = omar.door.patch(&path, &json!({ "state": "done" })).await.good();
    }
    omar.take(&change, "propose", json!({})).await;
    omar.vote(&change, "authorise").await;
    let tested = json!({ "test_results": "Two were renewed in the laboratory." });
    omar.take(&change, "schedule", tested.clone()).await;
    omar.take(&change, "unschedule", json!({ "reason": "The spare part is late." })).await;
    omar.take(&change, "schedule", tested).await;
    omar.take(&change, "unschedule", json!({ "reason": "The building is closed." })).await;
    omar.take(&change, "rescope", json!({ "reason": "Ten are enough." })).await;
    platform.pass("PT1S").await;

    let all = told(&platform, number(&change)).await;
    for whom in [&rita, &owner] {
        let to = format!("person:{}", whom.number);
        let theirs = all.iter().filter(|one| one["data"]["to"] == to);
        let texts: Vec<&str> = theirs.filter_map(|one| one["data"]["text"].as_str()).collect();
        let when =
            "From 2026-03-07T20:00:00Z to 2026-03-07T23:00:00Z. Expected outage in minutes: 20.";
        let moved = ["The spare part is late.", "The building is closed.", "Ten are enough."];
        assert_eq!(texts, [when, moved[0], when, moved[1], moved[2]]);
    }
    let first = of(&all, "scheduled", &format!("person:{}", owner.number));
    let subject = format!("{} is scheduled: Renew the switches", number(&change));
    assert_eq!(first["data"]["subject"], subject);
    let moved = of(&all, "moved", &format!("person:{}", owner.number));
    let subject = format!("{} moves: Renew the switches", number(&change));
    assert_eq!(moved["data"]["subject"], subject);
    // Those whom it does not concern hear nothing.
    assert_eq!(all.len(), 10);
}

/// Who answers for something hears of it: a supplier's missed target, a finding, an order, a plan that is invoked, and
/// a difference of an item.
#[tokio::test]
async fn who_answers_for_something_hears_of_it() {
    let platform = Platform::up(Options::default().with(&["--clock", AT])).await;
    let greta = Hand::of(&platform, "Greta", &["audit_manager"]).await;
    let agent = Hand::of(&platform, "Lena", &["agent"]).await;
    let rita = Hand::of(&platform, "Rita", &["requester"]).await;
    let boss = Hand::of(&platform, "Bob", &[]).await;
    let owner = Hand::of(&platform, "Otto", &[]).await;
    let sol = Hand::of(&platform, "Sol", &["security_manager"]).await;
    let heard = async |number: &str| -> Vec<(String, String)> {
        let all = told(&platform, number).await;
        let text = |one: &Value, name: &str| one["data"][name].as_str().expect(name).to_owned();
        all.iter().map(|one| (text(one, "rule"), text(one, "to"))).collect()
    };
    let person = |hand: &Hand| format!("person:{}", hand.number);
    let of = |rule: &str, hand: &Hand| (rule.to_owned(), person(hand));

    // An order: who approves it, and then who ordered it.
    let order = json!({ "title": "A larger screen", "service": "SVC-MAIL", "item": "Screen", "approver": boss.number, "requester": rita.number });
    let order = agent.open("requests", order).await;
    agent.take(&order, "submit", json!({})).await;
    agent.take(&order, "ask", json!({ "is_entitled": true })).await;
    boss.vote(&order, "approve").await;
    let with = json!({ "fulfiller": agent.number, "instructions": "From the shelf." });
    agent.take(&order, "start", with).await;
    agent.take(&order, "fulfil", json!({ "outcome": "It stands on the desk." })).await;
    // A finding: the manager who answers for it; later, that nothing was corrected.
    let finding = json!({
        "title": "Three have no review", "audit": "AUD0000001", "clause": "8.5.1", "grade": "minor", "owner": owner.number,
        "evidence": "CHG0000003", "due_at": "2026-03-10T08:00:00Z",
    });
    let finding = greta.open("findings", finding).await;
    greta.take(&finding, "report", json!({})).await;
    // A difference that touches rights: the owner of the item, and who answers for security.
    let found = json!({ "item": "CI0000001", "attribute": "rights", "found": "root", "is_privileged": true, "owner": owner.number });
    let found = agent.open("differences", found).await;
    platform.pass("P10D").await;

    let mut of_order = heard(number(&order)).await;
    of_order.sort_unstable();
    assert_eq!(of_order, [of("approved", &rita), of("asked", &boss), of("done", &rita)]);
    assert_eq!(heard(number(&finding)).await, [of("reported", &owner)]);
    let nonconformity = owner.find("nonconformities", json!({ "source": number(&finding) })).await;
    assert!(heard(number(&nonconformity[0])).await.contains(&of("overdue", &owner)));
    let of_found = heard(number(&found)).await;
    for expected in [of("found", &owner), of("security", &sol), of("unsettled", &owner)] {
        assert!(of_found.contains(&expected), "{expected:?}: {of_found:?}");
    }
    what_breaks_is_told(&platform).await;
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}

/// A supplier's miss goes to who answers for the contract and to the supplier; an invocation to who may invoke, whose
/// the plan is, the customer and top management; a missed promise to who keeps the agreements.
async fn what_breaks_is_told(platform: &Platform) {
    let buyer = Hand::of(platform, "Stefan", &["supplier_manager"]).await;
    let levels = Hand::of(platform, "Lev", &["service_level_manager"]).await;
    let tom = Hand::of(platform, "Tom", &[]).await;
    let keeper = Hand::of(platform, "Cay", &["continuity_manager"]).await;
    let chief = Hand::of(platform, "Vera", &["executive"]).await;
    let mia = Hand::of(platform, "Mia", &[]).await;
    let duty = Hand::of(platform, "Dina", &[]).await;
    let terms = json!({
        "manager": buyer.number, "supplier_contact": tom.number, "scope": "Lines", "targets": [{ "name": "restore", "promise": "4 h", "measured_by": "Tickets" }],
        "calendar": "always", "interfaces": "Mail", "responsibilities": "Theirs", "charging": "Monthly", "reporting": "Monthly", "ending": "Half a year",
        "valid_from": "2026-03-01T00:00:00Z", "valid_until": "2028-03-01T00:00:00Z", "review_at": "2027-03-01T00:00:00Z",
    });
    let contract = json!({ "title": "Lines", "supplier": "SUP0000001", "kind": "external" });
    let contract = buyer.open("contracts", contract).await;
    buyer.take(&contract, "negotiate", terms).await;
    levels.take(&contract, "align", json!({ "is_aligned": true })).await;
    buyer.take(&contract, "sign", json!({})).await;
    tom.take(&contract, "countersign", json!({})).await;
    platform.pass("PT1S").await;
    buyer.take(&contract, "miss", json!({ "breach": "Six hours instead of four." })).await;

    let plan = json!({ "title": "Payments elsewhere", "service": "SVC-PAY", "owner": keeper.number, "customer": "Meridian", "contact": mia.number });
    let plan = keeper.open("continuity-plans", plan).await;
    let impact = json!({ "analysis": "Much.", "rto_minutes": 120, "rpo_minutes": 5, "minimum_level": "Half" });
    mia.take(&plan, "agree", impact).await;
    let how = json!({ "criteria": "No site", "steps": "Switch.", "contacts": "A list", "authorities": [duty.number], "return_plan": "By night", "offline_pack": "Safe 2" });
    chief.take(&plan, "approve", how).await;
    let invoked = json!({ "reason": "No power.", "disrupted_at": "2026-03-12T08:00:00Z" });
    duty.take(&plan, "invoke", invoked).await;
    platform.pass("PT1S").await;
    for (record, rule, whom) in [
        (&contract, "breached", vec![&buyer, &tom]),
        (&plan, "invoked", vec![&duty, &keeper, &mia, &chief]),
    ] {
        let all = told(platform, number(record)).await;
        for hand in whom {
            of(&all, rule, &format!("person:{}", hand.number));
        }
    }
    let all = told(platform, number(&plan)).await;
    let to_mia = of(&all, "invoked", &format!("person:{}", mia.number));
    assert_eq!(to_mia["data"]["text"], "No power.");

    let parties = crate::promises::Parties::of(platform).await;
    let _ = parties.sign(platform, json!({})).await;
    let agent = platform.person("Ann", &["agent"]).await;
    let incident = crate::promises::open(&agent, "high").await;
    platform.pass("PT5H").await;
    let miss = agent.all("/api/v1/breaches", "?sort=number").await;
    let of_number = miss[0]["number"].as_str().expect("a number");
    assert_eq!(miss[0]["data"]["of_number"], incident["number"]);
    let all = told(platform, of_number).await;
    let lev = format!("person:{}", levels.number);
    assert!(all.iter().any(|one| one["data"]["rule"] == "missed" && one["data"]["to"] == lev));
}
