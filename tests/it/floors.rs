//! A module uses only floors below its own, and siblings do not know each other.

use std::fs;
use std::path::{Path, PathBuf};

const FLOORS: &[(u8, &[&str])] = &[
    (5, &["cli", "server", "config", "demo"]),
    (4, &["proxy", "sync", "console", "api"]),
    (3, &["session"]),
    (2, &["policy", "fetch"]),
    (1, &["dom", "rewrite", "store", "tls", "wording"]),
    (0, &["protocol"]),
];

/// The top floor is the one place where siblings meet: starting needs settings.
const TOP: u8 = 5;

fn floor(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(_, modules)| modules.contains(&module)).map(|(floor, _)| *floor)
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The modules of this crate that a file names: `crate::x` and `crate::{x, y::z}`.
fn named(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for rest in text.split("crate::").skip(1) {
        let list = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default(),
            None => rest,
        };
        let items = if rest.starts_with('{') { list.split(',').collect() } else { vec![list] };
        for item in items {
            let name: String = item.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            names.push(name);
        }
    }
    names
}

#[test]
fn modules_use_only_floors_below_their_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut wrong = Vec::new();
    for file in &files {
        let inside = file.strip_prefix(&root).unwrap();
        let module = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        let Some(own) = floor(module) else {
            assert!(["lib.rs", "main.rs"].contains(&module), "{module} stands on no floor");
            continue;
        };
        let text: String =
            fs::read_to_string(file).unwrap().lines().filter(|l| !l.trim().starts_with("//")).collect();
        for name in named(&text) {
            let Some(other) = floor(&name) else { continue };
            let allowed = name == module || other < own || own == TOP;
            if !allowed {
                wrong.push(format!("{} (floor {own}) uses {name} (floor {other})", inside.display()));
            }
        }
    }
    assert!(files.len() > 40, "the sources were not found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_first_what_it_is_for() {
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files);
    }
    for file in files.iter().filter(|file| !file.components().any(|c| c.as_os_str() == "node_modules")) {
        assert!(fs::read_to_string(file).unwrap().starts_with("//!"), "{}", file.display());
    }
}
