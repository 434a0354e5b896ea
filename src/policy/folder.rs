//! The folder of the policy files: how one sees, without reading them, that they have changed.
//!
//! A stamp is cheap enough to be taken several times a second, and two stamps differ whenever a file came,
//! went, or was written: in doubt they differ, and reading once too often does no harm.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What a folder looked like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp(Result<Vec<Entry>, std::io::ErrorKind>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    path: PathBuf,
    size: u64,
    modified: Option<SystemTime>,
    /// Tells a file from one that took its name with the size and time of it.
    identity: (u64, i64, i64),
}

impl Stamp {
    /// Looks at a folder; one that can not be read has a stamp too.
    pub fn of(folder: &Path) -> Stamp {
        let look = || {
            let mut entries = Vec::new();
            for path in files(folder)? {
                // Follows links: a folder may be swapped as a whole behind them.
                let meta = std::fs::metadata(&path)?;
                let (size, modified) = (meta.len(), meta.modified().ok());
                entries.push(Entry { path, size, modified, identity: identity(&meta) });
            }
            Ok(entries)
        };
        Stamp(look().map_err(|error: std::io::Error| error.kind()))
    }

    /// Whether there are no policy files, or they can not be looked at.
    pub fn is_bare(&self) -> bool {
        self.0.as_ref().map_or(true, Vec::is_empty)
    }
}

/// All `*.toml` of a folder, in the order of their names.
pub(super) fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(unix)]
fn identity(meta: &std::fs::Metadata) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt as _;
    (meta.ino(), meta.ctime(), meta.ctime_nsec())
}

#[cfg(not(unix))]
fn identity(_: &std::fs::Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_tells_every_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        let mut seen = vec![Stamp::of(&folder.path().join("absent")), Stamp::of(folder.path())];
        assert!(seen.iter().all(Stamp::is_bare));
        let mut changed = |what: &str| {
            let stamp = Stamp::of(folder.path());
            assert!(!seen.contains(&stamp), "{what}");
            assert_eq!(stamp, Stamp::of(folder.path()), "and nothing but changes: {what}");
            seen.push(stamp);
        };
        std::fs::write(&path, "one").unwrap();
        changed("a new file");
        std::fs::write(&path, "other").unwrap();
        changed("another size");
        let time = std::fs::metadata(&path).unwrap().modified().unwrap();
        std::fs::write(folder.path().join("b"), "OTHER").unwrap();
        let copy = std::fs::File::options().write(true).open(folder.path().join("b")).unwrap();
        copy.set_modified(time).unwrap();
        std::fs::rename(folder.path().join("b"), &path).unwrap();
        changed("another file of the same name, size and time");
        std::fs::write(folder.path().join("notes.txt"), "x").unwrap();
        assert_eq!(Stamp::of(folder.path()), *seen.last().unwrap(), "other files do not matter");
    }
}
