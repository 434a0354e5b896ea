//! Laws of the wire, and that the TypeScript side is current.

use proptest::prelude::*;

use super::page::{Limits, PageFrame};
use super::wire::{Malformed, Reader, Writer, deflate, inflate};

proptest! {
    #[test]
    fn what_is_written_is_read(numbers: Vec<u32>, signed: Vec<i32>, strings in prop::collection::vec(".{0,60}", 0..20)) {
        let mut out = Writer::new();
        numbers.iter().for_each(|n| out.uint(*n));
        signed.iter().for_each(|n| out.int(*n));
        strings.iter().chain(&strings).for_each(|s| out.string(s));
        let bytes = out.finish();
        let mut reader = Reader::new(&bytes[1..]);
        for n in numbers { prop_assert_eq!(reader.uint(), Ok(n)); }
        for n in signed { prop_assert_eq!(reader.int(), Ok(n)); }
        for s in strings.iter().chain(&strings) { prop_assert_eq!(reader.string(), Ok(s.as_str())); }
        prop_assert!(reader.at_end());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = PageFrame::decode(&bytes, &Limits::default());
        let _ = PageFrame::decode(&[&[1, 1, 0], &bytes[..]].concat(), &Limits::default());
    }
}

#[test]
fn a_large_frame_travels_deflated_and_no_bomb_goes_off() {
    let frame: Vec<u8> = (0..100_000u32).map(|n| if n == 0 { 1 } else { (n / 50) as u8 }).collect();
    let packed = deflate(frame.clone());
    assert!(packed.len() < frame.len() / 5);
    assert_eq!(inflate(&packed, frame.len()).unwrap(), frame);
    assert_eq!(inflate(&packed, frame.len() - 1), Err(Malformed::Limit("bytes of a frame")));
    assert!(inflate(&packed[..packed.len() / 2], frame.len()).is_err(), "cut off");
    assert!(inflate(&[0, 0xff, 0xff], 100).is_err());
    assert_eq!(deflate(vec![1, 2, 3]), [1, 2, 3]);
    let bomb = deflate(vec![1; 50_000_000]);
    assert!(bomb.len() < 1_000_000);
    assert_eq!(inflate(&bomb, 1_000_000), Err(Malformed::Limit("bytes of a frame")));
}

#[test]
fn a_number_of_more_than_32_bits_is_refused() {
    assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x1f]).uint(), Err(Malformed::Number));
    assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x0f]).uint(), Ok(u32::MAX));
}

#[test]
fn a_page_nested_too_deep_is_refused() {
    let mut out = Writer::new();
    [1, 0].into_iter().for_each(|n| out.uint(n));
    out.byte(1);
    out.uint(1);
    out.uint(0);
    for _ in 0..600 {
        out.byte(1);
        out.string("div");
        out.uint(0);
    }
    assert_eq!(
        PageFrame::decode(&out.finish(), &Limits::default()),
        Err(Malformed::Limit("depth of the page"))
    );
}

#[test]
fn session_ids_are_read_as_people_type_them() {
    use super::SessionId;
    let id: SessionId = "7KQ-M9X-D4R".parse().unwrap();
    assert_eq!(id, "7kqm9xd4r".parse().unwrap());
    assert_eq!(id, " 7kq m9x.D4R ".parse().unwrap());
    assert_eq!(id.to_string(), "7KQ-M9X-D4R");
    for wrong in ["", "7KQ-M9X-D4", "7KQ-M9X-D4R2", "0KQ-M9X-D4R", "7KQ/M9X/D4R", "ÄKQ-M9X-D4R"] {
        assert!(wrong.parse::<SessionId>().is_err(), "{wrong}");
    }
}

/// Renders the browser's side of the protocol. `TANDEM_RENDER=1 cargo test --lib protocol` writes it anew.
#[test]
fn typescript_is_current() {
    use super::{Action, NodeId, Point, action, admin, agent, customer, page, session, typing};
    use ts_rs::{Config, TS};
    let config = Config::default();
    let mut out = String::from(
        "/**\n * The protocol's words, rendered from `src/protocol`: do not edit.\n * `TANDEM_RENDER=1 cargo test --lib protocol` writes it anew.\n */\n\n",
    );
    macro_rules! render {
        ($($kind:ty),* $(,)?) => {$(
            out.push_str("export ");
            out.push_str(&<$kind as TS>::decl(&config));
            out.push_str("\n\n");
        )*};
    }
    render!(
        NodeId,
        Point,
        super::SessionId,
        session::Phase,
        session::Mode,
        session::EndReason,
        session::ModeReason,
        session::Presence,
        session::AwayReason,
        agent::Tab,
        session::Absence,
        session::EndsSoon,
        session::Status,
        action::Key,
        typing::Piece,
        typing::Spot,
        typing::Place,
        typing::Typed,
        action::KeyCode,
        action::Modifiers,
        action::Refusal,
        Action,
        customer::FromCustomer,
        customer::ToCustomer,
        customer::ActTag,
        customer::Held,
        customer::PrivateMark,
        customer::WithheldInFrame,
        customer::Echoing,
        customer::EchoKey,
        customer::Echo,
        customer::Privacy,
        customer::Started,
        agent::FromAgent,
        agent::Answer,
        agent::ToAgent,
        agent::Admission,
        agent::Login,
        agent::Me,
        agent::Role,
        agent::Problem,
        agent::ProblemKind,
        admin::LiveSessions,
        admin::LiveSession,
        admin::Waiting,
        admin::WaitingSession,
        admin::AgentList,
        admin::AgentEntry,
        admin::LogOut,
        admin::HealthReport,
        admin::PolicyReport,
        admin::PolicyFile,
        admin::PolicyRule,
        admin::PolicyError,
    );
    out.push_str("export type Act = { type: ActTag; seq: number; submit: boolean; to: string | null; action: Action };\n\n");
    out.push_str("/** Strings with a fixed index in every frame's table. */\nexport const WORDS: readonly string[] = [\n");
    for word in super::WORDS {
        out.push_str(&format!("  {},\n", serde_json::to_string(word).unwrap()));
    }
    out.push_str("];\n\n");
    out.push_str(&format!(
        "export const VERSION = {};\nexport const DEFLATED = {};\nexport const LARGE = {};\nexport const KEPT = {};\nexport const TABLE = {};\nexport const MAX_DEPTH = {};\n",
        super::wire::VERSION,
        super::wire::DEFLATED,
        super::wire::LARGE,
        super::wire::KEPT,
        super::wire::TABLE,
        page::Limits::default().depth,
    ));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/injector/src/protocol/words.ts");
    if std::env::var_os("TANDEM_RENDER").is_some() {
        std::fs::write(path, &out).unwrap();
    }
    assert!(std::fs::read_to_string(path).unwrap_or_default() == out, "stale: {path}");
}
