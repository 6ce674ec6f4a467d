//! Work that goes from one process to the next over all services (catalogue sections 4 and 6.3).
//!
//! Left out of 6.3: of (4) that availability is untouched by what fails outside the hours of the service, which is
//! worked out from its agreement. What is said while an incident is logged (2) is found by searching.

use acceptance::{Options, Platform};
use serde_json::{Value, json};

use crate::hands::{Hand, number};

/// Those who bring a fix from its problem into production.
struct Crew {
    manager: Hand,
    board: Vec<Hand>,
    releases: Hand,
    deployer: Hand,
    tester: Hand,
    configuration: Hand,
    problems: Hand,
}

impl Crew {
    async fn of(platform: &Platform) -> Self {
        let mut board = Vec::new();
        for name in ["Bea", "Ben", "Bo"] {
            board.push(Hand::of(platform, name, &["cab_member"]).await);
        }
        Self {
            manager: Hand::of(platform, "Omar", &["change_manager"]).await,
            board,
            releases: Hand::of(platform, "Rita", &["release_manager"]).await,
            deployer: Hand::of(platform, "Dave", &[]).await,
            tester: Hand::of(platform, "Tess", &[]).await,
            configuration: Hand::of(platform, "Cora", &["configuration_manager"]).await,
            problems: Hand::of(platform, "Paul", &["problem_manager"]).await,
        }
    }

    /// Authorises and schedules a change in a release that is to deploy it.
    async fn schedule(&self, platform: &Platform, change: &str, release: &str, item: &str) {
        let now = platform.get("/api/v1/clock").await.good();
        let now: chrono::DateTime<chrono::Utc> =
            now["now"].as_str().and_then(|now| now.parse().ok()).expect("a clock");
        let until = (now + chrono::TimeDelta::hours(4)).to_rfc3339();
        let about = json!({
            "likelihood": "medium", "effect": "medium", "plan": "Deploy it.", "backout": "Deploy the one before.",
            "window": { "from": now.to_rfc3339(), "to": until }, "implementer": self.deployer.number,
            "cost_estimate": 400, "release": number(release), "items": [number(item)],
        });
        let _ = self.manager.door.patch(change, &about).await.good();
        self.manager.take(change, "submit", json!({})).await;
        self.manager.take(change, "assess", json!({})).await;
        // Each domain signs its assessment first.
        assert_eq!(self.manager.try_take(change, "propose", json!({})).await.status, 409);
        let tasks = self.manager.read(&format!("{change}/tasks")).await;
        for task in tasks["items"].as_array().expect("tasks") {
            let path = format!("{change}/tasks/{}", task["id"]);
            let _ = self.manager.door.patch(&path, &json!({ "state": "done" })).await.good();
        }
        let proposed = self.manager.take(change, "propose", json!({})).await;
        assert_eq!(proposed["data"]["risk"], 3);
        // Class 3 is the board's: three of it, and not who asked for it.
        assert_eq!(self.manager.try_vote(change, "authorise").await.status, 403);
        for member in &self.board {
            member.vote(change, "authorise").await;
        }
        let tested = json!({ "test_results": "22 of 22 passed." });
        self.manager.take(change, "schedule", tested).await;
        platform.pass("PT0S").await;
    }

    /// Builds and authorises a release of one change, up to where it may be deployed.
    async fn ready(&self, platform: &Platform, release: &str, item: &str, hash: &str) {
        self.releases.take(release, "build", json!({})).await;
        let with = json!({ "build_hash": hash, "tester": self.tester.number });
        self.releases.take(release, "test", with).await;
        let one = |is_met: bool| json!({ "acceptance": [{ "criterion": "It syncs", "is_met": is_met }], "rehearsal": "15.1.4 was back in 20 minutes." });
        assert_eq!(self.tester.try_take(release, "accept", one(false)).await.status, 409);
        self.tester.take(release, "accept", one(true)).await;
        self.releases.vote(release, "authorise").await;
        self.releases.refused(release, "brief", json!({}), 422).await;
        self.releases
            .take(release, "brief", json!({ "briefing": "Mail is renewed at eight." }))
            .await;
        // Without its baseline nothing is deployed.
        let deploy = json!({ "deployed_hash": hash });
        assert_eq!(self.deployer.try_take(release, "deploy", deploy).await.status, 409);
        platform.pass("PT0S").await;
        let baselines = self.configuration.find("baselines", json!({ "release": number(release) }));
        let baseline =
            baselines.await.pop().expect("a release that is authorised wants a baseline");
        let contents = json!({ "contents": [{ "item": number(item), "version": "15.1.4" }] });
        self.configuration.take(&baseline, "take", contents).await;
        platform.pass("PT0S").await;
    }

    /// Makes a change that somebody asked for as an emergency, and closes it.
    async fn make_at_once(&self, platform: &Platform, change: &str) {
        let about = json!({ "type": "emergency", "threat": "It came back.", "implementer": self.deployer.number });
        let _ = self.manager.door.patch(change, &about).await.good();
        let word = json!({ "authorised_by": self.deployer.number });
        self.manager.take(change, "break_glass", word).await;
        self.deployer.take(change, "complete", json!({ "outcome": "success" })).await;
        self.manager.take(change, "seek_approval", json!({})).await;
        for name in ["Eve", "Ede"] {
            Hand::of(platform, name, &["ecab_member"]).await.vote(change, "ratify").await;
        }
        self.manager.take(change, "close", json!({ "review": "It holds." })).await;
        platform.pass("PT0S").await;
    }

    fn release_of(&self, change: &str, item: &str) -> Value {
        json!({
            "title": "Mail 15.1.6", "service": "SVC-MAIL", "kind": "patch", "method": "big_bang",
            "contains": [number(change)], "items": [{ "item": number(item), "version": "15.1.6" }],
            "backout": "Deploy 15.1.4.", "backout_owner": self.deployer.number, "decide_by": "2026-06-20T20:45:00Z",
            "deployer": self.deployer.number,
        })
    }
}

/// Proves: INC-11, PLT-7, PRB-2, PRB-7, PRB-8, REL-2, REL-3, REL-4, REL-5, REL-6, REL-9, REL-10, CFG-4, CFG-5, CHG-11
#[tokio::test]
async fn a_problem_is_fixed_by_the_second_of_two_releases() {
    let platform = Platform::up(Options::manual_clock()).await;
    let crew = Crew::of(&platform).await;
    let agent = Hand::of(&platform, "Lena", &["agent"]).await;

    // (1) The fifth incident that is alike proposes a problem; all five are tied to it.
    let paul = &crew.problems;
    let alike = json!({
        "title": "Calendar sync hangs", "service": "SVC-MAIL", "configuration_item": "mail-mx-02", "category": "software",
        "impact": "medium", "urgency": "medium",
    });
    let mut incidents = Vec::new();
    for _ in 0..5 {
        platform.pass("P2D").await;
        incidents.push(agent.open("incidents", alike.clone()).await);
    }
    let like = json!({ "item": "mail-mx-02" });
    let candidate = agent.find("recurrences", like).await.pop().expect("a candidate");
    assert_eq!(agent.state(&candidate).await, "proposed");
    let counted = incidents.iter().map(|one| ("counts".to_owned(), number(one).to_owned()));
    assert_eq!(agent.ties(&candidate).await, counted.collect::<Vec<_>>());
    agent.refused(&candidate, "accept", json!({}), 403).await;
    paul.take(&candidate, "accept", json!({})).await;
    let problem = json!({ "source": number(&candidate) });
    let problem = paul.find("problems", problem).await.pop().expect("a problem");
    assert_eq!(paul.field(&candidate, "problem").await, number(&problem));
    // Who answers for problems sees what they come from.
    let causes = json!({ "relation": "causes", "to": number(&incidents[0]) });
    let _ = paul.door.post(&format!("{problem}/links"), &causes).await.good();

    let items = json!({ "assignee": paul.number, "service": "SVC-MAIL", "impact": "medium", "urgency": "medium" });
    paul.take(&problem, "assess", items).await;
    paul.take(&problem, "analyse", json!({})).await;
    let known = json!({
        "method": "five_whys", "root_cause": "A lock is never given back.", "evidence": "Traces of mail-mx-02.",
        "workaround": "Restart the service.", "measures": "It is restarted at night.",
        "measures_owner": paul.number, "review_at": "2027-01-01T00:00:00Z",
    });
    paul.take(&problem, "know", known).await;
    let error = paul.find("known-errors", json!({ "problem": number(&problem) })).await;
    paul.take(&error[0], "publish", json!({})).await;

    // (2) The next one is matched while it is logged.
    let next = agent.open("incidents", alike.clone()).await;
    let found = agent.door.get("/api/v1/known-errors?q=calendar+sync").await.good();
    assert_eq!(found["items"][0]["number"], number(&error[0]));
    let hit = agent.take(&error[0], "hit", json!({ "incident": number(&next) })).await;
    assert_eq!(hit["data"]["hits"], 1);
    let matched = agent.read(&next).await;
    assert_eq!(
        (&matched["data"]["known_error"], &matched["data"]["proposed_resolution"]),
        (&json!(number(&error[0])), &json!("Restart the service."))
    );
    // What was only worked around proposes a problem by itself.
    agent.take(&next, "assign", json!({ "group": "Mail", "assignee": agent.number })).await;
    agent.take(&next, "start", json!({})).await;
    let with = json!({ "resolution_code": "workaround", "resolution": "Restarted the service." });
    agent.take(&next, "resolve", with).await;
    let proposed = agent.find("problems", json!({ "source": number(&next) })).await;
    assert_eq!(agent.ties(&proposed[0]).await, [("causes".to_owned(), number(&next).to_owned())]);

    // Nothing is fixed but by a change, and nothing of an item changes beside one.
    let fix = json!({ "fix": "Version 15.1.6 gives it back.", "benefit": "Eight incidents a fortnight less." });
    paul.take(&problem, "fix", fix.clone()).await;
    platform.pass("PT0S").await;
    let changes = crew.manager.find("changes", json!({ "problem": number(&problem) })).await;
    let first = changes[0].clone();
    let cora = &crew.configuration;
    let item = json!({ "title": "mail-mx-02", "kind": "server", "service": "SVC-MAIL", "owner": cora.number });
    let item = cora.open("configuration-items", item).await;
    cora.take(&item, "build", json!({})).await;
    cora.take(&item, "test", json!({ "version": "15.1.4" })).await;
    let beside = json!({ "change": number(&first) });
    assert_eq!(cora.try_take(&item, "go_live", beside).await.status, 409);

    // The first attempt fails its smoke test and is backed out.
    let brought = json!({ "title": "Two clicks instead of one", "service": "SVC-MAIL" });
    let brought = crew.releases.open("known-errors", brought).await;
    let with = |change: &str| {
        let mut release = crew.release_of(change, &item);
        release["known_errors"] = json!([number(&brought)]);
        release
    };
    let release = crew.releases.open("releases", with(&first)).await;
    crew.schedule(&platform, &first, &release, &item).await;
    crew.ready(&platform, &release, &item, "sha256:0151").await;
    let wrong = json!({ "deployed_hash": "sha256:9999" });
    assert_eq!(crew.deployer.try_take(&release, "deploy", wrong).await.status, 409);
    crew.deployer.take(&release, "deploy", json!({ "deployed_hash": "sha256:0151" })).await;
    platform.pass("PT0S").await;
    assert_eq!(crew.manager.state(&first).await, "implementing");
    let failed = json!({ "reason": "The smoke test failed." });
    crew.deployer.take(&release, "back_out", failed.clone()).await;
    crew.deployer.take(&release, "fail", failed).await;
    platform.pass("PT0S").await;
    let change = crew.manager.read(&first).await;
    assert_eq!(
        (&change["state"], &change["data"]["outcome"]),
        (&json!("failed"), &json!("failed_backed_out"))
    );
    assert_eq!(cora.read(&item).await["data"]["version"], "15.1.4");
    let baseline = cora.find("baselines", json!({ "release": number(&release) })).await;
    assert_eq!(cora.state(&baseline[0]).await, "restored");
    let raised = agent.find("incidents", json!({ "title": "Release failed: Mail 15.1.6" })).await;
    assert_eq!(raised.len(), 1);
    crew.manager.take(&first, "review", json!({})).await;
    let review = json!({ "review": "The image was built without the patch." });
    assert_eq!(crew.manager.try_take(&first, "close", review.clone()).await.status, 409);
    let review = json!({ "review": review["review"], "actions": "The build names its sources." });
    crew.manager.take(&first, "close", review).await;
    platform.pass("PT0S").await;
    assert_eq!(paul.state(&problem).await, "known_error");
    assert_eq!(paul.state(&brought).await, "draft");

    let failed_release = release;

    // The second one succeeds.
    paul.take(&problem, "fix", fix).await;
    platform.pass("PT0S").await;
    let changes = crew.manager.find("changes", json!({ "problem": number(&problem) })).await;
    let second = changes[1].clone();
    let release = crew.releases.open("releases", with(&second)).await;
    crew.ready(&platform, &release, &item, "sha256:0152").await;
    // Not before its change is authorised and in its window.
    let early =
        crew.deployer.try_take(&release, "deploy", json!({ "deployed_hash": "sha256:0152" }));
    assert_eq!(early.await.status, 409);
    crew.schedule(&platform, &second, &release, &item).await;
    crew.deployer.take(&release, "deploy", json!({ "deployed_hash": "sha256:0152" })).await;
    platform.pass("PT10M").await;
    crew.deployer.take(&release, "finish", json!({})).await;
    platform.pass("PT0S").await;
    let change = crew.manager.read(&second).await;
    assert_eq!(
        (&change["state"], &change["data"]["outcome"]),
        (&json!("implemented"), &json!("success"))
    );
    let live = cora.read(&item).await;
    let expected = (&json!("live"), &json!("15.1.6"), &json!(number(&second)));
    assert_eq!((&live["state"], &live["data"]["version"], &live["data"]["change"]), expected);
    // What it is known to have is on offer from now on, tied to it.
    let known = paul.read(&brought).await;
    assert_eq!(
        (&known["state"], &known["data"]["release"], &known["data"]["workaround"]),
        (&json!("published"), &json!(number(&release)), &json!("none known"))
    );
    let tie = ("brought_by".to_owned(), number(&release).to_owned());
    assert_eq!(paul.ties(&brought).await, [tie]);
    crew.manager.take(&second, "review", json!({})).await;
    crew.manager.take(&second, "close", json!({ "review": "It went as planned." })).await;
    platform.pass("PT0S").await;
    assert_eq!(paul.state(&problem).await, "resolved");
    assert_eq!(cora.read(&item).await["data"]["open_change"], Value::Null);
    crew.releases.take(&release, "watch", json!({})).await;
    let watched = json!({ "review": "No incidents.", "incidents": 0 });
    crew.releases.refused(&release, "close", watched.clone(), 409).await;

    // (6) It comes back while it is watched: its cause is looked for again, and the change was no success.
    agent.open("incidents", alike).await;
    platform.pass("PT0S").await;
    assert_eq!(paul.state(&problem).await, "root_cause_analysis");
    assert_eq!(crew.manager.field(&second, "outcome").await, "with_issues");
    let again = json!({ "method": "timeline", "root_cause": "A second lock.", "evidence": "Traces.", "fix": "Version 15.1.7.", "benefit": "No more of it." });
    paul.take(&problem, "fix", again).await;
    platform.pass("PT0S").await;
    let changes = crew.manager.find("changes", json!({ "problem": number(&problem) })).await;
    crew.make_at_once(&platform, &changes[2]).await;
    assert_eq!(paul.state(&problem).await, "resolved");

    // It is watched for thirty days, and only then closed; what was known of it retires with it.
    assert_eq!(paul.try_take(&problem, "close", json!({})).await.status, 409);
    platform.pass("P31D").await;
    assert_eq!(paul.state(&problem).await, "closed");
    assert_eq!(paul.state(&error[0]).await, "retired");
    crew.releases.take(&release, "close", watched).await;
    assert_eq!(paul.state(&candidate).await, "ended");

    // (7) One call shows it all: the incidents, their problem, what was known, both changes and deployments, the item.
    let chain = format!("/api/v1/chain/{}", number(&incidents[0]));
    let anton = Hand::of(&platform, "Anton", &["auditor"]).await;
    let chain = anton.door.get(&chain).await.good();
    let records = chain["records"].as_array().expect("records");
    let numbers: Vec<_> = records.iter().map(|one| one["record"]["number"].as_str()).collect();
    let all = incidents.iter().chain([
        &candidate,
        &problem,
        &error[0],
        &first,
        &second,
        &failed_release,
        &release,
        &item,
    ]);
    for one in all {
        assert!(numbers.contains(&Some(number(one))), "{one} is not in {numbers:?}");
    }
    // From the other end as well.
    let back = format!("/api/v1/chain/{}", number(&item));
    let back = crew.configuration.door.get(&back).await.good().to_string();
    assert!(back.contains(number(&release)) && back.contains(number(&second)), "{back}");
    let (is_sound, said) = platform.verify().await;
    assert!(is_sound, "{said}");
}
