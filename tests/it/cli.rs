//! The command line as people and scripts use it: what it prints and the exit codes.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn tandem(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.current_dir(folder).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

const SETTINGS: &str = "[[site]]\npublic = \"http://localhost:8080\"\norigin = \"http://127.0.0.1:9000\"\n";

/// A folder with settings and one policy file.
fn folder(settings: &str, policy: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tandem.toml"), settings).unwrap();
    std::fs::create_dir(folder.path().join("policies")).unwrap();
    std::fs::write(folder.path().join("policies/shop.toml"), policy).unwrap();
    folder
}

#[test]
fn good_settings_and_policies_pass_the_check() {
    let folder = folder(SETTINGS, "[[mask]]\nselect = \"#ssn\"\n");
    let output = tandem(folder.path(), &["check", "--config", "tandem.toml"]);
    assert_eq!((output.status.code(), said(&output).as_str()), (Some(0), ""));
}

#[test]
fn every_error_is_printed_with_its_place() {
    let folder = folder(&format!("{SETTINGS}orgin = 1\n[proxy]\nlisten = \"here\"\n"), "");
    let output = tandem(folder.path(), &["check", "--config", "tandem.toml"]);
    assert_eq!(output.status.code(), Some(1));
    for place in
        ["tandem.toml:4:1: unknown key `orgin`", "did you mean `origin`?", "tandem.toml:6:10: `listen`"]
    {
        assert!(said(&output).contains(place), "{place} in:\n{}", said(&output));
    }
}

#[test]
fn a_broken_policy_stops_the_check_and_the_start() {
    let folder = folder(SETTINGS, "[[mask]]\nselect = \"#ssn[\"\n\n[[hidden]]\nselect = \"p\"\n");
    for (arguments, code) in [
        (["check", "--config", "tandem.toml"], 1),
        (["serve", "--config", "tandem.toml"], 2),
        (["policy", "check", "policies/shop.toml"], 1),
    ] {
        let output = tandem(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        for place in ["shop.toml:2:", "shop.toml:4:"] {
            assert!(said(&output).contains(place), "{arguments:?}: {}", said(&output));
        }
    }
}

#[test]
fn without_its_policies_nothing_starts() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tandem.toml"), SETTINGS).unwrap();
    let output = tandem(folder.path(), &["serve", "--config", "tandem.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("policies"), "{}", said(&output));
}

#[test]
fn bad_usage_is_another_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["serve"][..], &["nonsense"], &["demo", "--site", "here"], &["policy", "check"]] {
        assert_eq!(tandem(folder.path(), arguments).status.code(), Some(2), "{arguments:?}");
    }
    let output = tandem(folder.path(), &["serve", "--config", "absent.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("absent.toml"), "{}", said(&output));
}

#[test]
fn an_agent_is_added_with_a_hash() {
    let folder = tempfile::tempdir().unwrap();
    let add = |password: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tandem"))
            .current_dir(folder.path())
            .args(["agent", "add", "ann", "--role", "supervisor", "--password-stdin"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    assert_eq!(add("correct horse\n").status.code(), Some(0));
    let file = std::fs::read_to_string(folder.path().join("agents.toml")).unwrap();
    assert!(
        file.contains("$argon2id$") && file.contains("supervisor") && !file.contains("correct horse"),
        "{file}"
    );
    let agents = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
        command.current_dir(folder.path()).arg("agent").args(arguments).output().unwrap()
    };
    let listed = String::from_utf8(agents(&["list"]).stdout).unwrap();
    assert_eq!(listed.split_whitespace().collect::<Vec<_>>(), ["supervisor", "ann"]);
    assert_eq!(agents(&["remove", "ann"]).status.code(), Some(0));
    assert_eq!(agents(&["remove", "ann"]).status.code(), Some(1), "nobody of that name");
    assert!(agents(&["list"]).stdout.is_empty());
    let short = add("short\n");
    assert_eq!(short.status.code(), Some(1));
    assert!(said(&short).contains("password"), "{}", said(&short));
}

#[test]
fn a_demo_whose_ports_are_taken_says_which_flag_helps() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    for flag in ["--site", "--console"] {
        let other = if flag == "--site" { "--console" } else { "--site" };
        let arguments = ["demo", flag, &address, other, "127.0.0.1:0", "--data", &data];
        let output = tandem(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(1));
        let said = said(&output);
        assert!(said.contains(&address) && said.contains(flag), "{said}");
    }
}

const PAGE: &str =
    "<!doctype html><title>Pay</title><p id=ssn>KANARIE</p><p>Hello</p><input type=password value=xKANARIEx>";

#[test]
fn the_schema_and_warnings_are_printed() {
    let folder = folder(SETTINGS, "[[mask]]\nselect = \"body\"\n");
    let schema = tandem(folder.path(), &["policy", "schema"]);
    let schema: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
    assert_eq!(schema["properties"]["mask"]["items"]["required"][0], "select");
    let check = tandem(folder.path(), &["policy", "check", "policies/shop.toml"]);
    assert_eq!(check.status.code(), Some(0), "a warning is no failure");
    assert!(
        said(&check).contains("warning: policies/shop.toml:2:10: this selector is too broad"),
        "{}",
        said(&check)
    );
}

#[test]
fn a_preview_shows_what_the_agent_sees_and_which_rules_matched() {
    let folder = folder(SETTINGS, "\n[[mask]]\nselect = \"#ssn\"\n[[hide]]\nselect = \".none\"\n");
    std::fs::write(folder.path().join("page.html"), PAGE).unwrap();
    let output = tandem(
        folder.path(),
        &["policy", "preview", "--html", "page.html", "--canary", "KANARIE", "--canary", "nothing"],
    );
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let (html, notes) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(html.contains("•••••••</p><p>Hello</p>") && !html.contains("KANARIE"), "{html}");
    assert!(notes.contains("shop.toml:2: mask  #ssn  matched 1 element\n"), "{notes}");
    assert!(notes.contains("shop.toml:4: hide  .none  matched 0 elements\n"), "{notes}");
}

#[test]
fn a_canary_that_gets_through_fails_the_preview() {
    let folder = folder(SETTINGS, "urls = [\"/pay\"]\n[[mask]]\nselect = \"#ssn\"\n");
    std::fs::write(folder.path().join("page.html"), PAGE).unwrap();
    let preview = |more: &[&str]| {
        let arguments = ["policy", "preview", "--html", "page.html", "--canary", "kanarie"];
        tandem(folder.path(), &[&arguments[..], more].concat())
    };
    let output = preview(&[]);
    assert_eq!(output.status.code(), Some(1), "the rule is for another page");
    assert!(said(&output).contains("the agent can see \"kanarie\""), "{}", said(&output));
    assert_eq!(preview(&["--at", "https://shop.example.com/pay"]).status.code(), Some(0));
    let pay = ["--at", "https://shop.example.com/pay", "--expect"];
    assert_eq!(preview(&[&pay[..], &["Hello"]].concat()).status.code(), Some(0));
    let output = preview(&[&pay[..], &["Good-bye"]].concat());
    assert_eq!(output.status.code(), Some(1), "it may be another page than was meant");
    assert!(said(&output).contains("the agent can not see \"Good-bye\""), "{}", said(&output));
    assert_eq!(preview(&["--policy", "absent"]).status.code(), Some(2));
    assert_eq!(preview(&["--url", "http://127.0.0.1:1/"]).status.code(), Some(2), "a file or an address");
}

#[tokio::test]
async fn a_live_page_is_previewed_with_the_cookie_given() {
    use axum::http::HeaderMap;
    use axum::response::{Html, Redirect};
    use axum::routing::get;
    let account = async |headers: HeaderMap| {
        let known = headers.get("cookie").is_some_and(|cookie| cookie == "login=ann");
        Html(if known { "<p id=ssn>KANARIE</p>Hello Ann" } else { "Please log in" })
    };
    let site = axum::Router::new()
        .route("/", get(async || Redirect::to("/account?a=1")))
        .route("/account", get(account));
    let stop = tokio_util::sync::CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    let address = crate::harness::serve(site, stop).await;
    let url = format!("http://{address}/");
    let folder = folder(SETTINGS, "urls = [\"/account\"]\n[[mask]]\nselect = \"#ssn\"\n");
    let preview = |url: &str, cookie: &'static str| {
        let (folder, url) = (folder.path().to_owned(), url.to_owned());
        let arguments = move || {
            let arguments = ["policy", "preview", "--url", &url, "--cookie", cookie, "--canary", "KANARIE"];
            tandem(&folder, &arguments)
        };
        tokio::task::spawn_blocking(arguments)
    };
    let output = preview(&url, "login=ann").await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("Hello Ann") && said(&output).contains("led to"), "{}", said(&output));
    assert!(said(&preview(&url, "login=ben").await.unwrap()).contains("Please log in"));
    let output = preview(&format!("{url}gone"), "login=ann").await.unwrap();
    assert_eq!(output.status.code(), Some(1), "a page of an error proves nothing");
    assert!(said(&output).contains("answered 404"), "{}", said(&output));
}
