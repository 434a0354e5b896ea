//! The life of a session as both sides live it: start, join, see, leave, end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::agent::log_in;
use crate::harness::http::request;
use crate::harness::page::{el, text};
use crate::harness::{AGENTS, Agent, Rig, Setup};

#[tokio::test]
async fn the_agent_sees_the_page_and_every_change() {
    let rig = Rig::start().await;
    let page = [el("h1", &[("id", "title")], &[text("Good morning")])];
    let (mut customer, mut agent) = rig.session(&page).await;
    agent.sees("Good morning").await;

    let title = customer.node("title");
    let mut patch = customer.page.patch();
    customer.page.insert(&mut patch, title, &text(" and good luck"));
    customer.send_bytes(patch.finish()).await;
    agent.sees("and good luck").await;
}

#[tokio::test]
async fn nothing_is_asked_for_before_an_agent_is_there() {
    let rig = Rig::start().await;
    let mut customer = rig.customer().await;
    let first = customer.hears("status").await;
    assert_eq!(first["status"]["phase"], "idle");
    let mut agent = rig.agent().await;
    agent.join(customer.id()).await;
    customer.hears("share").await;
    let before: Vec<&Value> =
        customer.heard.iter().filter(|m| m["type"] == "share" || m["type"] == "withhold").collect();
    assert_eq!(before[0]["type"], "withhold", "the rules come first");
    assert_eq!(before.len(), 2);
    let status = customer.hears_status(|status| status["phase"] == "active").await;
    assert_eq!(status["status"]["agentName"], AGENTS[0]);
}

#[tokio::test]
async fn an_agent_who_comes_back_sees_the_page_without_the_customers_help() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&[text("Once is enough")]).await;
    agent.sees("Once is enough").await;
    agent.vanish().await;
    customer.hears_status(|status| status["agent"] == "away").await;
    let mut again = rig.agent().await;
    again.join(customer.id()).await;
    again.sees("Once is enough").await;
    let shares = customer.heard.iter().filter(|message| message["type"] == "share").count();
    assert_eq!(shares, 1);
    again.says(json!({ "type": "resync" })).await;
    again.sees_page().await;
}

#[tokio::test]
async fn the_session_goes_on_over_a_navigation() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&[text("First page")]).await;
    customer.reconnect().await;
    customer.url = format!("http://{}/second", rig.site);
    customer.show(&[text("Second page")]).await;
    agent.sees("Second page").await;
    assert!(agent.mirror.location.ends_with("/second"));
    assert!(!agent.mirror.text().contains("First"));
}

#[tokio::test]
async fn either_exit_ends_it_for_both_with_the_reason_and_for_ever() {
    for (by, reason) in [("customer", "customer_exit"), ("agent", "agent_exit")] {
        let rig = Rig::start().await;
        let (mut customer, mut agent) = rig.session(&[text("Hello")]).await;
        match by {
            "customer" => customer.says(json!({ "type": "exit" })).await,
            _ => agent.says(json!({ "type": "exit" })).await,
        }
        let seen = customer.hears_status(|status| status["phase"] == "ended").await;
        assert_eq!(seen["status"]["ended"], reason);
        let seen = agent.hears_status(|status| status["phase"] == "ended").await;
        assert_eq!(seen["status"]["ended"], reason);
        assert_eq!(customer.is_closed().await.0, 4001);
        assert_eq!(agent.is_closed().await.0, 4001);

        customer.reconnect().await;
        assert_eq!(customer.is_closed().await.0, 4001, "the customer's key opens nothing any more");
        agent.connect(customer.id()).await;
        assert_eq!(agent.is_closed().await.0, 4001);
        assert_eq!(agent.looks_up(customer.id()).await, (410, "session_ended".into()));
    }
}

#[tokio::test]
async fn an_ended_id_stays_ended_over_a_restart() {
    let rig = Rig::start().await;
    let (mut customer, _agent) = rig.session(&[text("Hello")]).await;
    let id = customer.id().to_owned();
    customer.says(json!({ "type": "exit" })).await;
    customer.is_closed().await;
    let rig = rig.restart().await;
    assert_eq!(rig.agent().await.looks_up(&id).await, (410, "session_ended".into()));
}

#[tokio::test]
async fn session_ids_are_taken_as_people_type_them() {
    let rig = Rig::start().await;
    let customer = rig.customer().await;
    let agent = rig.agent().await;
    let id = customer.id();
    for typed in [id.to_owned(), id.to_lowercase(), id.replace('-', ""), id.replace('-', " ")] {
        assert_eq!(agent.looks_up(&typed).await.0, 200, "{typed}");
    }
    assert_eq!(agent.looks_up("7KQ-M9X-D4R").await, (404, "no_such_session".into()));
    assert_eq!(agent.looks_up("not-an-id").await, (404, "no_such_session".into()));
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let rig = Rig::start().await;
    let agent = rig.agent().await;
    let customer = rig.customer().await;
    for _ in 0..10 {
        assert_eq!(agent.looks_up("7KQ-M9X-D4R").await.0, 404);
    }
    assert_eq!(agent.looks_up("7KQ-M9X-D4R").await, (429, "too_many_tries".into()));
    assert_eq!(agent.looks_up(customer.id()).await.0, 429, "a right one does not tell either");

    for _ in 0..10 {
        assert_eq!(log_in(rig.console, "ben", "wrong password").await.status, 401);
    }
    let answer = log_in(rig.console, "ben", "wrong password").await;
    assert_eq!(answer.status, 429);
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test]
async fn a_whole_contact_centre_can_log_in_from_one_address() {
    let rig = Rig::start().await;
    for _ in 0..12 {
        assert_eq!(log_in(rig.console, "ann", crate::harness::PASSWORD).await.status, 200);
    }
}

#[tokio::test]
async fn one_agent_holds_a_session() {
    let rig = Rig::start().await;
    let (customer, mut agent) = rig.session(&[text("Hello")]).await;
    let mut other = Agent::log_in(rig.console, AGENTS[1]).await;
    assert_eq!(other.looks_up(customer.id()).await, (409, "session_taken".into()));
    other.connect(customer.id()).await;
    assert_eq!(other.is_closed().await.0, 4005);

    let mut again = rig.agent().await;
    again.join(customer.id()).await;
    assert_eq!(agent.is_closed().await.0, 4002, "the same agent's newer window takes over");
}

#[tokio::test]
async fn a_newer_connection_of_the_same_tab_takes_over() {
    let rig = Rig::start().await;
    let mut customer = rig.customer().await;
    let mut other = rig.customer().await;
    assert_ne!(customer.id(), other.id());
    other.cookie.clone_from(&customer.cookie);
    other.reconnect().await;
    assert_eq!(customer.is_closed().await.0, 4002);
}

#[tokio::test]
async fn a_session_that_nobody_joins_ends() {
    let rig = Rig::with(Setup {
        change: Box::new(|config| config.session.timeouts.join = Duration::from_millis(300)),
        ..Setup::default()
    })
    .await;
    let mut customer = rig.customer().await;
    let status = customer.hears_status(|status| status["phase"] == "ended").await;
    assert_eq!(status["status"]["ended"], "join_timeout");
}

#[tokio::test]
async fn both_are_warned_before_a_timeout_strikes() {
    let rig = Rig::with(Setup {
        change: Box::new(|config| {
            config.session.timeouts.idle = Duration::from_millis(900);
            config.session.timeouts.warning = Duration::from_millis(600);
        }),
        ..Setup::default()
    })
    .await;
    let (mut customer, mut agent) = rig.session(&[text("Hello")]).await;
    customer.hears_status(|status| status["endsSoon"]["reason"] == "idle_timeout").await;
    agent.hears_status(|status| status["endsSoon"]["reason"] == "idle_timeout").await;
    customer.hears_status(|status| status["ended"] == "idle_timeout").await;
}

#[tokio::test]
async fn a_customer_who_stays_away_ends_it() {
    let rig = Rig::with(Setup {
        change: Box::new(|config| config.session.timeouts.away = Duration::from_millis(300)),
        ..Setup::default()
    })
    .await;
    let (mut customer, mut agent) = rig.session(&[text("Hello")]).await;
    customer.vanish().await;
    let status = agent.hears_status(|status| status["phase"] == "ended").await;
    assert_eq!(status["status"]["ended"], "away_timeout");
}

#[tokio::test]
async fn each_side_sees_why_the_other_is_away_and_for_how_long_it_is_waited_for() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&[text("Hello")]).await;
    customer.vanish().await;
    let status = agent.hears_status(|status| status["customer"] == "away").await;
    assert_eq!(status["status"]["customerAway"], json!({ "why": "left", "seconds": 300 }));
    customer.reconnect().await;
    let status = agent.hears_status(|status| status["customer"] == "present").await;
    assert_eq!(status["status"]["customerAway"], Value::Null);
    customer.loses_the_network().await;
    agent.hears_status(|status| status["customerAway"]["why"] == "lost").await;
    customer.reconnect().await;
    customer.show(&[text("Hello again")]).await;
    agent.sees("Hello again").await;

    agent.vanish().await;
    let status = customer.hears_status(|status| status["agent"] == "away").await;
    assert_eq!(status["status"]["agentAway"], json!({ "why": "left", "seconds": 180 }));
}

#[tokio::test]
async fn a_browser_that_gives_no_sign_of_life_is_away_however_much_is_sent_to_it() {
    let rig = Rig::with(Setup {
        change: Box::new(|config| {
            config.socket.heartbeat = Duration::from_millis(100);
            config.socket.patience = Duration::from_millis(400);
        }),
        ..Setup::default()
    })
    .await;
    let (_silent, mut agent) = rig.session(&[text("Hello")]).await;
    // Whoever does not read answers no ping either, and the agent's pointer keeps its socket busy.
    let mut move_on = tokio::time::interval(Duration::from_millis(20));
    while !agent.heard.iter().any(|message| message["status"]["customerAway"]["why"] == "lost") {
        tokio::select! {
            _ = move_on.tick() => agent.says(json!({ "type": "pointer", "at": { "x": 1.0, "y": 1.0 } })).await,
            _ = agent.hears("status") => {}
        }
    }
}

/// A page that is closed or left says so; a network that is gone does not.
#[tokio::test]
async fn after_any_absence_all_goes_on_and_writing_needs_a_new_yes() {
    let rig = Rig::with(Setup {
        change: Box::new(|config| config.session.timeouts.navigation = Duration::ZERO),
        ..Setup::default()
    })
    .await;
    let (mut customer, mut agent) = rig.session(&[text("Hello")]).await;
    let fell_back = |status: &Value| status["mode"] == "pointer" && status["modeReason"] == "interrupted";
    for (who, why, patience) in
        [("customer", "left", 300), ("customer", "lost", 300), ("agent", "left", 180), ("agent", "lost", 180)]
    {
        agent.says(json!({ "type": "request_write" })).await;
        customer.allows().await;
        agent.hears_status(|status| status["mode"] == "write").await;
        customer.hears_status(|status| status["mode"] == "write").await;
        let away = format!("{who}Away");
        let told = |status: &Value| status[&away]["why"] == why && fell_back(status);
        let status = if who == "customer" {
            if why == "left" {
                customer.vanish().await
            } else {
                customer.loses_the_network().await
            }
            agent.hears_status(told).await
        } else {
            if why == "left" {
                agent.vanish().await
            } else {
                agent.loses_the_network().await
            }
            customer.hears_status(told).await
        };
        let left = status["status"][&away]["seconds"].as_u64().unwrap();
        assert!((patience - 1..=patience).contains(&left), "a countdown: {status}");
        if who == "customer" {
            assert_eq!(agent.acts(json!({ "kind": "back" })).await, "pointer_mode");
            customer.reconnect().await;
            customer.show(&[text(&format!("Back after {why}"))]).await;
            agent.sees(&format!("Back after {why}")).await;
        } else {
            agent.mirror = Default::default();
            agent.join(customer.id()).await;
            agent.sees("Back after lost").await;
        }
        // Everybody is back, and nothing has ended: the customer is asked again.
        customer.allows().await;
        agent.hears_status(|status| status["mode"] == "write").await;
        agent.says(json!({ "type": "give_back" })).await;
        customer.hears_status(|status| status["mode"] == "pointer").await;
    }
}

#[tokio::test]
async fn an_exit_is_an_exit_whatever_becomes_of_the_connection() {
    let rig = Rig::start().await;
    for network in [true, false] {
        let (mut customer, mut agent) = rig.session(&[text("Hello")]).await;
        customer.says(json!({ "type": "exit" })).await;
        if network {
            customer.vanish().await
        } else {
            customer.loses_the_network().await
        }
        let status = agent.hears_status(|status| status["ended"] != Value::Null).await;
        assert_eq!(status["status"]["ended"], "customer_exit");
        let away = |message: &Value| message["status"]["customer"] == "away";
        assert!(!agent.heard.iter().any(away), "{:#?}", agent.heard);

        let (mut customer, mut agent) = rig.session(&[text("Hello")]).await;
        agent.says(json!({ "type": "exit" })).await;
        if network {
            agent.vanish().await
        } else {
            agent.loses_the_network().await
        }
        let status = customer.hears_status(|status| status["ended"] != Value::Null).await;
        assert_eq!(status["status"]["ended"], "agent_exit");
        assert_eq!(customer.is_closed().await, (4001, "agent_exit".into()));
    }
}

#[tokio::test]
async fn each_side_is_told_when_the_others_line_is_slow_and_when_it_is_not_any_more() {
    let rig = Rig::with(Setup {
        change: Box::new(|config| {
            config.socket.heartbeat = Duration::from_millis(300);
            config.socket.slow = Duration::from_millis(200);
        }),
        ..Setup::default()
    })
    .await;
    let (mut customer, mut agent) = rig.session(&[text("Hello")]).await;
    // A model browser answers only while the test waits for it.
    let status = agent.hears_status(|status| status["customerSlow"] == true).await;
    assert_eq!(
        (&status["status"]["customer"], &status["status"]["agentSlow"]),
        (&json!("present"), &json!(false))
    );
    customer.hears_status(|status| status["customerSlow"] == false && status["agentSlow"] == true).await;
    agent.hears_status(|status| status["agentSlow"] == false && status["customerSlow"] == true).await;
    // Whoever is away is not slow.
    customer.vanish().await;
    let status = agent.hears_status(|status| status["customer"] == "away").await;
    assert_eq!(status["status"]["customerSlow"], false);
}

#[tokio::test]
async fn a_browser_can_ask_whether_the_line_still_lives() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&[text("Hello")]).await;
    customer.says(json!({ "type": "alive" })).await;
    customer.hears("alive").await;
    agent.says(json!({ "type": "alive" })).await;
    agent.hears("alive").await;
}

#[tokio::test]
async fn pointers_and_clicks_reach_the_other_side() {
    let rig = Rig::start().await;
    let (mut customer, mut agent) = rig.session(&[text("Hello")]).await;
    for kind in ["pointer", "clicked"] {
        let message = json!({ "type": kind, "at": { "x": 12.0, "y": 34.0 } });
        customer.says(message.clone()).await;
        let heard = agent.hears(kind).await;
        assert_eq!((&heard["within"], &heard["at"]), (&json!(1), &message["at"]));
        let message = json!({ "type": kind, "at": { "x": 56.0, "y": 78.0 } });
        agent.says(message.clone()).await;
        assert_eq!(customer.hears(kind).await, message);
    }
}

#[tokio::test]
async fn the_console_needs_a_login_and_a_role() {
    let rig = Rig::start().await;
    let customer = rig.customer().await;
    let path = format!("/console/session/{}", customer.id());
    assert_eq!(request(rig.console, "GET", &path, &[], b"").await.status, 401);
    assert_eq!(request(rig.console, "GET", "/console/me", &[], b"").await.status, 401);
    assert_eq!(log_in(rig.console, "ann", "wrong password").await.status, 401);
    assert_eq!(log_in(rig.console, "nobody", "wrong password").await.status, 401);

    let mut stranger = rig.agent().await;
    stranger.cookie = "tandem_agent=guess".into();
    stranger.connect(customer.id()).await;
    assert_eq!(stranger.is_closed().await.0, 4004);

    let sue = Agent::log_in(rig.console, "sue").await;
    assert_eq!(sue.looks_up(customer.id()).await, (409, "nothing_to_watch".into()));
}

#[tokio::test]
async fn a_login_ends_with_the_logout() {
    let rig = Rig::start().await;
    let agent = rig.agent().await;
    assert_eq!(agent.get("/console/me").await.status, 200);
    let headers = [("Cookie", agent.cookie.as_str())];
    assert_eq!(
        request(rig.console, "POST", "/console/logout", &headers, b"").await.status,
        403,
        "a forged form"
    );
    assert_eq!(agent.get("/console/me").await.status, 200);
    let headers = [("Cookie", agent.cookie.as_str()), ("Tandem", "1")];
    assert_eq!(request(rig.console, "POST", "/console/logout", &headers, b"").await.status, 204);
    assert_eq!(agent.get("/console/me").await.status, 401);
}

#[tokio::test]
async fn other_sites_can_not_start_or_open_anything() {
    let rig = Rig::start().await;
    let own = format!("http://{}", rig.site);
    for headers in [
        vec![("Origin", "https://evil.test"), ("Tandem", "1")],
        vec![("Origin", own.as_str())],
        vec![("Tandem", "1")],
    ] {
        assert_eq!(
            request(rig.site, "POST", "/.tandem/session", &headers, b"").await.status,
            403,
            "{headers:?}"
        );
    }
    let upgrade = [
        ("Origin", "https://evil.test"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let id = rig.customer().await.id().to_owned();
    for (to, path) in [
        (rig.site, "/.tandem/session/socket".to_owned()),
        (rig.console, format!("/console/session/{id}/socket")),
    ] {
        let answer = request(to, "GET", &path, &upgrade, b"").await;
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.head);
    }
}

#[tokio::test]
async fn cookies_and_pages_carry_strict_headers() {
    let rig = Rig::start().await;
    let own = format!("http://{}", rig.site);
    let answer =
        request(rig.site, "POST", "/.tandem/session", &[("Origin", &own), ("Tandem", "1")], b"").await;
    let cookie = answer.header("set-cookie").unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let cookie = log_in(rig.console, "ann", crate::harness::PASSWORD).await;
    let cookie = cookie.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");

    let index = request(rig.console, "GET", "/", &[], b"").await;
    let policy = index.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"));
    assert_eq!(index.header("x-content-type-options"), Some("nosniff"));
    let mirror = request(rig.console, "GET", "/mirror", &[], b"").await;
    let policy = mirror.header("content-security-policy").unwrap();
    assert!(policy.starts_with("sandbox allow-same-origin; default-src 'none'"), "{policy}");
    assert!(!policy.contains("script"), "nothing of the site runs there: {policy}");
}
