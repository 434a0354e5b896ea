//! Each limit on a session's life, on a paused clock: both are warned as long before as the settings say, then it
//! ends with one reason, and that reason is the same on both screens, in the API, in the history and in the log.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tandem::api::{Api, Key, Right};
use tandem::policy::Policies;
use tandem::protocol::agent::{FromAgent, Role};
use tandem::protocol::session::{AwayReason, Presence};
use tandem::protocol::{EndReason, Point, Status};
use tandem::session::{
    About, AgentLink, CustomerLink, Handle, Hello, Links, Lookup, Metrics, Sessions, Settings,
};
use tandem::store::Store;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

const MINUTE: Duration = Duration::from_secs(60);
const KEY: &str = "the key of the CRM";

/// What happens before nothing more does.
#[derive(Clone, Copy)]
enum Story {
    NobodyJoins,
    CustomerGoes(AwayReason),
    AgentGoes(AwayReason),
    NothingHappens,
    SomethingAlwaysHappens,
}

#[tokio::test(start_paused = true)]
async fn each_limit_is_warned_of_and_ends_the_session_with_its_reason_everywhere() {
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.subscriber());
    let (sessions, api) = server();
    for (story, minutes, reason) in [
        (Story::NobodyJoins, 20, EndReason::JoinTimeout),
        (Story::CustomerGoes(AwayReason::Left), 5, EndReason::AwayTimeout),
        (Story::CustomerGoes(AwayReason::Lost), 5, EndReason::AwayTimeout),
        (Story::AgentGoes(AwayReason::Left), 3, EndReason::AgentTimeout),
        (Story::AgentGoes(AwayReason::Lost), 3, EndReason::AgentTimeout),
        (Story::NothingHappens, 30, EndReason::IdleTimeout),
        (Story::SomethingAlwaysHappens, 240, EndReason::MaxDuration),
    ] {
        let began = Instant::now();
        let (handle, key) = sessions.start(About::default()).await.unwrap();
        let hello = Hello { tab: "one".into(), url: None, looking: true };
        let customer = handle.join_as_customer(hello).await.unwrap();
        let agent = match story {
            Story::NobodyJoins => None,
            _ => Some(handle.join_as_agent("ann".into(), Role::Agent).await.unwrap()),
        };
        let screens = [Some(customer.status.clone()), agent.as_ref().map(|agent| agent.status.clone())];
        let tasks = TaskTracker::new();
        let screens = screens.into_iter().flatten().map(|status| tasks.spawn(watch(status, began)));
        let screens: Vec<_> = screens.collect();
        let busy = tasks.spawn(tell(story, handle.clone(), customer, agent));

        for screen in screens {
            let seen = screen.await.unwrap();
            let warned = seen.iter().find(|(_, status)| status.ends_soon.is_some());
            let (at, status) = warned.unwrap_or_else(|| panic!("{reason:?} came without a warning"));
            let soon = status.ends_soon.unwrap();
            assert_eq!((soon.reason, soon.seconds), (reason, 60), "at {at:?}");
            assert_eq!(at.as_secs(), minutes * 60 - 60, "{reason:?}");
            let (at, status) = seen.last().unwrap();
            assert_eq!((at.as_secs(), status.ended), (minutes * 60, Some(reason)));
            let (who, away) = match story {
                Story::CustomerGoes(why) => (status.customer, Some(why)),
                Story::AgentGoes(why) => (status.agent, Some(why)),
                _ => continue,
            };
            assert_eq!(who, Presence::Away);
            let told =
                seen.iter().find_map(|(_, status)| status.customer_away.or(status.agent_away)).unwrap();
            assert_eq!(
                (Some(told.why), u64::from(told.seconds)),
                (away, minutes * 60),
                "why, and a countdown"
            );
        }
        busy.abort();

        let id = handle.id();
        assert!(matches!(sessions.find(id).await.unwrap(), Lookup::Ended(why) if why == reason));
        assert_eq!(sessions.end_of(&key).await, Some(reason), "for a browser that comes back too late");
        let session = ask(&api, &format!("/sessions/{id}")).await;
        assert_eq!((&session["phase"], &session["endReason"]), (&"ended".into(), &reason.as_str().into()));
        let history = ask(&api, &format!("/sessions/{id}/history")).await;
        let last = history["entries"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["what"], &last["reason"]), (&"ended".into(), &reason.as_str().into()), "{history}");
        let lines = log.take();
        let ends: Vec<_> = lines.lines().filter(|line| line.contains("session ended")).collect();
        let [end] = ends[..] else { panic!("one end in the log: {lines}") };
        assert!(end.contains(&format!("reason=\"{}\"", reason.as_str())), "{end}");
        assert!(!lines.contains(&id.to_string()), "who reads the log can not join");
    }
}

/// Everything that a screen was told, and when, until the end.
async fn watch(mut status: watch::Receiver<Status>, began: Instant) -> Vec<(Duration, Status)> {
    let mut seen = Vec::new();
    while status.changed().await.is_ok() {
        let now = status.borrow_and_update().clone();
        seen.push((began.elapsed(), now));
    }
    seen
}

/// Does what the story says; holds the connections until then.
async fn tell(story: Story, handle: Handle, customer: CustomerLink, agent: Option<AgentLink>) {
    match (story, &agent) {
        (Story::CustomerGoes(why), _) => handle.customer_left(customer.connection, why).await,
        (Story::AgentGoes(why), Some(agent)) => handle.agent_left(agent.connection, why).await,
        (Story::SomethingAlwaysHappens, Some(agent)) => loop {
            tokio::time::sleep(MINUTE / 2).await;
            handle.agent_says(agent.connection, FromAgent::Pointer { at: Point { x: 1.0, y: 1.0 } }).await;
        },
        _ => {}
    }
    std::future::pending::<()>().await;
}

/// A server's sessions and its API, without sockets.
fn server() -> (Sessions, Router) {
    let sessions = Sessions::new(
        Settings::default(),
        Arc::new(Policies::default()),
        Arc::new(Store::in_memory().unwrap()),
        Metrics::register(&mut Default::default()),
        TaskTracker::new(),
        CancellationToken::new(),
    );
    let key = Key {
        name: "crm".into(),
        sha256: Sha256::digest(KEY.as_bytes()).into(),
        rights: Right::ALL.to_vec(),
        rate: NonZeroU32::new(1_000).unwrap(),
    };
    let console = "http://console.test/".parse().unwrap();
    let api = Api::new(sessions.clone(), Links::default(), vec![key], console).routes();
    (sessions, api)
}

async fn ask(api: &Router, path: &str) -> Value {
    let request = Request::get(format!("/api/v1{path}")).header("authorization", format!("Bearer {KEY}"));
    let answer = api.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

/// The server's log, kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync + use<> {
        let log = self.clone();
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.clone()).finish()
    }

    /// What was logged since the last time.
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
