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
