//! Builds the browser code with the crate: `npm ci` when packages are missing, then esbuild into `OUT_DIR/browser`.
//!
//! The bundles are part of the binary, so that `cargo run` needs nothing at run time.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let here = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("injector");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("browser");
    for input in ["src", "build.mjs", "bundle.mjs", "order.json", "package.json", "package-lock.json"] {
        println!("cargo::rerun-if-changed=injector/{input}");
    }
    if let Err(problem) = build(&here, &out) {
        for line in problem.lines() {
            println!("cargo::error={line}");
        }
        std::process::exit(1);
    }
}

fn build(here: &Path, out: &Path) -> Result<(), String> {
    node_is_there()?;
    if !packages_are_current(here) {
        let mut install = Command::new("npm");
        install.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
        // `npm ci` removes what it does not install: who has the tools of developers keeps them.
        if !here.join("node_modules/typescript").exists() {
            install.arg("--omit=dev");
        }
        run(&mut install, here)?;
    }
    run(Command::new("node").arg("build.mjs").arg(out), here)
}

fn node_is_there() -> Result<(), String> {
    let missing = "Tandem's browser code is built with Node.js 20 or newer, which was not found.\n\
        On Debian or Ubuntu: apt-get install nodejs npm (or see https://nodejs.org for a newer one), then build again.";
    let version = Command::new("node").arg("--version").output().map_err(|_| missing.to_owned())?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(20..) => Command::new("npm").arg("--version").output().map(drop).map_err(|_| missing.to_owned()),
        _ => Err(format!("{missing}\nFound: {version}")),
    }
}

/// npm writes its own lock file last: older than ours, or absent, means that packages are missing.
fn packages_are_current(here: &Path) -> bool {
    let changed = |path: PathBuf| path.metadata().and_then(|meta| meta.modified()).ok();
    match (changed(here.join("node_modules/.package-lock.json")), changed(here.join("package-lock.json"))) {
        (Some(installed), Some(wanted)) => installed >= wanted,
        _ => false,
    }
}

fn run(command: &mut Command, folder: &Path) -> Result<(), String> {
    let words = format!("{command:?}").replace('"', "");
    let output = command.current_dir(folder).output().map_err(|error| format!("{words}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("{words} failed in {}:\n{}", folder.display(), String::from_utf8_lossy(&said).trim_end()))
}
