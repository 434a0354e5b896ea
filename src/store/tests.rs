//! What the store keeps, over restarts and from version to version, and what it says when it can not.

use super::*;

fn event(at: u64, event: &str) -> Event {
    Event { at, event: event.into() }
}

fn note(record: &str, events: Vec<Event>) -> Note {
    Note { record: Some(record.into()), about: None, events }
}

#[test]
fn an_id_is_used_once_also_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.known("A").unwrap(), Known::Never);
    assert!(store.claim("A", b"key", b"{}").unwrap());
    assert!(!store.claim("A", b"other", b"{}").unwrap());
    assert_eq!(store.known("A").unwrap(), Known::Open);
    store.end("A", "customer_exit", &Note::default()).unwrap();
    store.end("A", "agent_exit", &Note::default()).unwrap();
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.known("A").unwrap(), Known::Ended("customer_exit".into()));
    assert!(!store.claim("A", b"key", b"{}").unwrap());
}

#[test]
fn an_open_session_is_found_again_as_last_noted_and_an_ended_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for id in ["A", "B"] {
        store.claim(id, id.as_bytes(), b"first").unwrap();
    }
    store.note(&[("A".into(), note("second", vec![event(1, "one")]))]).unwrap();
    store.note(&[("A".into(), Note { events: vec![event(2, "two")], ..Note::default() })]).unwrap();
    store.end("B", "agent_exit", &note("late", vec![event(3, "end")])).unwrap();
    store.note(&[("B".into(), note("too late", vec![event(4, "after the end")]))]).unwrap();
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    let open = Open { id: "A".into(), key: b"A".into(), record: Some(b"second".into()), about: None };
    assert_eq!(store.open_sessions().unwrap(), [open]);
    assert_eq!(store.events("A").unwrap(), [event(1, "one"), event(2, "two")]);
    assert_eq!(store.events("B").unwrap(), [event(3, "end")]);
    let ends = ["A", "B", "C"].map(|key| store.end_of(key.as_bytes()).unwrap());
    assert_eq!(ends, [None, Some("agent_exit".into()), None]);
    assert_eq!(store.forget(0).unwrap(), 0);
    assert_eq!(store.forget(1).unwrap(), 3, "these times are long ago");
    assert_eq!(store.events("A").unwrap(), []);
    assert_eq!(store.forget(now() + 1).unwrap(), 0);
    assert_eq!(store.end_of(b"B").unwrap(), None);
    assert_eq!(store.known("B").unwrap(), Known::Ended("agent_exit".into()));
}

#[test]
fn logins_are_kept_until_they_end() {
    let store = Store::in_memory().unwrap();
    let login = |byte, until| Login { digest: [byte; 32], who: b"ann".to_vec(), until };
    for (byte, until) in [(1, now() + 60), (2, now() - 1), (3, now() + 60)] {
        store.add_login(&login(byte, until)).unwrap();
    }
    store.remove_login(&[3; 32]).unwrap();
    assert_eq!(store.logins().unwrap().iter().map(|login| login.digest[0]).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_store_of_the_first_version_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let old = Connection::open(folder.path().join(FILE)).unwrap();
    old.execute_batch(
        "CREATE TABLE session (id TEXT PRIMARY KEY, started INTEGER NOT NULL, ended INTEGER, reason TEXT)
             STRICT, WITHOUT ROWID;
         INSERT INTO session VALUES ('A', 1, 2, 'agent_exit'), ('B', 1, NULL, NULL);",
    )
    .unwrap();
    drop(old);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.known("A").unwrap(), Known::Ended("agent_exit".into()));
    assert_eq!(store.open_sessions().unwrap()[0].record, None);
    drop(store);
    assert!(Store::open(folder.path()).is_ok(), "and once only");
}

#[test]
fn a_store_that_can_not_be_used_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let first = Store::open(folder.path()).unwrap();
    let said = Store::open(folder.path()).unwrap_err();
    assert!(matches!(said, Error::InUse { .. }), "{said}");
    first.lock().unwrap().pragma_update(None, "user_version", 99).unwrap();
    drop(first);
    let said = Store::open(folder.path()).unwrap_err();
    assert!(matches!(said, Error::Newer { version: 99, .. }) && said.to_string().contains(FILE), "{said}");

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join(FILE),
        "this is no database at all, whatever its name says\n".repeat(100),
    )
    .unwrap();
    let said = Store::open(folder.path()).unwrap_err();
    assert!(matches!(said, Error::Damaged { .. }) && said.to_string().contains(FILE), "{said}");
    assert!(Store::open(Path::new("/proc/nowhere")).is_err());
}
