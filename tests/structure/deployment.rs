//! What is deployed: the chart, the composition and the image, each checked by what others check them with.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::PathBuf,
    process::{Command, Output},
};

use acceptance::repository;
use serde_json::{Value, json};
use testkit::skipped;

/// Every service that is deployed on its own.
const SERVICES: [&str; 7] =
    ["change", "gateway", "governance", "incident", "release", "sla", "supplier"];
/// The version of Kubernetes whose schemas the chart must fit.
const KUBERNETES: &str = "1.35";

/// A program of the operator's: what the variable names, else one on the path; or a loud word that
/// there is none.
fn program(variable: &str, name: &str, what: &str) -> Option<PathBuf> {
    let found = env::var_os(variable).map(PathBuf::from).or_else(|| {
        let path = env::var_os("PATH")?;
        env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
    });
    if found.is_none() {
        skipped(what, &format!("there is no {name}; name one in {variable}"));
    }
    found
}

fn helm(arguments: &[&str]) -> Option<Output> {
    let helm = program("STEWARD_HELM", "helm", "the check of the Helm chart")?;
    let chart = repository().join("deploy/helm/steward");
    let [verb, rest @ ..] = arguments else { panic!("helm does something") };
    let mut command = Command::new(helm);
    command.arg(verb);
    if *verb == "template" {
        command.arg("release");
    }
    Some(command.arg(chart).args(rest).output().expect("helm runs"))
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// The documents of a stream of YAML.
fn documents(rendered: &str) -> Vec<Value> {
    let pieces = rendered.split("\n---").filter(|piece| piece.contains("kind:"));
    pieces.map(|piece| engine::yaml_as_json(piece).expect("YAML")).collect()
}

fn container(workload: &Value) -> &Value {
    &workload["spec"]["template"]["spec"]["containers"][0]
}

#[test]
fn the_chart_is_sound_and_fits_the_schemas_of_kubernetes() {
    let Some(linted) = helm(&["lint", "--strict"]) else { return };
    let _ = text(&linted);
    let more = ["template", "--set", "ingress.enabled=true,ingress.tlsSecret=tls"];
    let rendered = text(&helm(&more).expect("helm was there a moment ago"));
    let what = "the check of the chart against the schemas of Kubernetes";
    let variable = "STEWARD_KUBERNETES_VALIDATE";
    let Some(validate) = program(variable, "kubernetes-validate", what) else { return };
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("rendered.yaml");
    fs::write(&file, rendered).expect("it can be written");
    let checked = Command::new(validate).args(["-k", KUBERNETES, "--strict"]).arg(&file).output();
    let checked = checked.expect("kubernetes-validate runs");
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success(), "{said}");
}

#[test]
fn each_service_of_the_chart_stands_on_its_own() {
    let Some(rendered) = helm(&["template"]) else { return };
    let documents = documents(&text(&rendered));
    let mut kinds: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for document in &documents {
        let kind = document["kind"].as_str().expect("a kind");
        let of = document["metadata"]["labels"]["app.kubernetes.io/component"].as_str();
        kinds.entry(kind).or_default().insert(of.expect("it says what it is of"));
    }
    for kind in
        ["Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy"]
    {
        assert_eq!(kinds[kind], BTreeSet::from(SERVICES), "{kind}");
    }
    assert_eq!(kinds["Job"], BTreeSet::from(["prepare"]));

    for workload in
        documents.iter().filter(|one| one["kind"] == "Deployment" || one["kind"] == "Job")
    {
        let (pod, container) = (&workload["spec"]["template"]["spec"], container(workload));
        let name = container["name"].as_str().expect("a name");
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
        let security = &container["securityContext"];
        assert_eq!(security["readOnlyRootFilesystem"], true, "{name}");
        assert_eq!(security["capabilities"]["drop"], json!(["ALL"]), "{name}");
        assert!(container["resources"]["limits"]["memory"].is_string(), "{name}");
        // Secrets come as files or from a secret, never as text.
        for variable in container["env"].as_array().expect("an environment") {
            let key = variable["name"].as_str().expect("a name");
            let is_file = key.ends_with("_FILE");
            let is_secret =
                key.contains("URL") && !key.contains("PUBLIC_URL") || key.contains("TOKEN");
            assert!(is_file || !is_secret || variable["value"].is_null(), "{name}: {key}");
        }
        if workload["kind"] == "Deployment" {
            assert_eq!(
                container["args"],
                json!(["--config", "/etc/steward/steward.toml", "serve", name])
            );
            for (probe, path) in [
                ("readinessProbe", "/readyz"),
                ("livenessProbe", "/healthz"),
                ("startupProbe", "/readyz"),
            ] {
                assert_eq!(container[probe]["httpGet"]["path"], path, "{name}");
            }
            // The gateway alone can make identities; nobody else is given another's key.
            let keys = &pod["volumes"].as_array().expect("volumes").last().expect("keys")["secret"];
            let given: Vec<_> = keys["items"].as_array().expect("keys").iter().collect();
            let has = |key: &str| given.iter().any(|item| item["key"] == key);
            assert_eq!(has("identity.key"), name == "gateway", "{name}");
            assert!(has(&format!("{name}-journal.key")) && given.len() <= 4, "{name}");
        }
    }
    // What the chart writes as configuration is one.
    let config = documents.iter().find(|one| one["kind"] == "ConfigMap").expect("a configuration");
    let toml = config["data"]["steward.toml"].as_str().expect("a file");
    let read = chassis::Config::parse(toml, &[]).expect("every key is known");
    assert_eq!(read.bus.replicas, 3);
}

#[test]
fn the_chart_refuses_what_nobody_reads() {
    for wrong in
        ["services.incident.replica=3", "services.billing.replicas=1", "config.bus.url=nats://x"]
    {
        let Some(rendered) = helm(&["template", "--set", wrong]) else { return };
        assert!(!rendered.status.success(), "{wrong} was taken");
    }
}

#[test]
fn the_composition_runs_every_service() {
    let file = repository().join("deploy/compose.yaml");
    let composed = fs::read_to_string(&file).expect("it is there");
    let read = engine::yaml_as_json(&composed).expect("YAML");
    let services = read["services"].as_object().expect("services");
    for name in SERVICES {
        let service = &services[name];
        assert_eq!(service["command"], json!(["serve", name]), "{name}");
        assert!(service["ports"].is_null() || name == "gateway", "{name} is reached from outside");
    }
    let databases =
        fs::read_to_string(file.with_file_name("compose/databases.sql")).expect("there");
    for name in SERVICES {
        assert!(databases.contains(&format!("CREATE DATABASE steward_{name};")), "{name}");
    }
}

#[test]
fn the_image_is_built_in_stages_and_runs_as_nobody() {
    let file = fs::read_to_string(repository().join("deploy/Dockerfile")).expect("it is there");
    let stages: Vec<&str> = file.lines().filter(|line| line.starts_with("FROM ")).collect();
    assert!(stages.len() >= 3 && stages.iter().all(|stage| stage.contains(':')), "{stages:?}");
    let (_, last) = file.rsplit_once("\nFROM ").expect("stages");
    let user = last.lines().find_map(|line| line.strip_prefix("USER ")).expect("a user");
    let number: u32 = user.split(':').next().and_then(|user| user.parse().ok()).expect("a number");
    assert!(number > 0, "{user}");
    // What the image is built with is what the workspace asks for.
    let toolchain =
        fs::read_to_string(repository().join("rust-toolchain.toml")).expect("it is there");
    let channel =
        toolchain.lines().find_map(|line| line.strip_prefix("channel = \"")).expect("one");
    assert!(file.contains(&format!("FROM rust:{}-", channel.trim_end_matches('"'))), "{channel}");
}
