//! Laws of the wire, and that the TypeScript side is current.

use proptest::prelude::*;

use super::WORDS;
use super::page::{Limits, PageFrame};
use super::wire::{KEPT, Malformed, Reader, VERSION, Writer, deflate, inflate};

/// A frame with strings that say this, and these operations.
fn frame(strings: &[u8], operations: &[u8]) -> Vec<u8> {
    saying(strings, &[], operations)
}

/// The same with texts of nodes.
fn saying(strings: &[u8], texts: &[u8], operations: &[u8]) -> Vec<u8> {
    let mut lengths = Writer::new();
    lengths.uint((strings.len() + texts.len()) as u32);
    lengths.uint(String::from_utf8_lossy(strings).encode_utf16().count() as u32);
    [&[VERSION], &lengths.finish()[3..], strings, texts, operations].concat()
}

proptest! {
    #[test]
    fn what_is_written_is_read(numbers: Vec<u32>, signed: Vec<i32>, strings in prop::collection::vec(".{0,60}", 0..20), texts in prop::collection::vec(".{0,60}", 0..20)) {
        let mut out = Writer::new();
        numbers.iter().for_each(|n| out.uint(*n));
        signed.iter().for_each(|n| out.int(*n));
        strings.iter().zip(&texts).for_each(|(s, t)| { out.string(s); out.text(t); });
        strings.iter().for_each(|s| out.string(s));
        let bytes = out.finish();
        let mut reader = Reader::new(&bytes).unwrap();
        for n in numbers { prop_assert_eq!(reader.uint(), Ok(n)); }
        for n in signed { prop_assert_eq!(reader.int(), Ok(n)); }
        for (s, t) in strings.iter().zip(&texts) {
            prop_assert_eq!(reader.string(), Ok(s.as_str()));
            prop_assert_eq!(reader.text(), Ok(t.as_str()));
        }
        for s in &strings { prop_assert_eq!(reader.string(), Ok(s.as_str())); }
        prop_assert_eq!(reader.at_end(), Ok(true));
    }

    #[test]
    fn strings_are_as_long_as_browsers_count(text in "[a-cä€😀]{0,20}", lengths in prop::collection::vec(0usize..9, 0..9)) {
        let operations: Vec<u8> = lengths.iter().flat_map(|length| [0, *length as u8]).collect();
        let bytes = frame(text.as_bytes(), &operations);
        let mut reader = Reader::new(&bytes).unwrap();
        let units: Vec<u16> = text.encode_utf16().collect();
        let mut rest = &units[..];
        for length in lengths {
            let expected = match rest.split_at_checked(length) {
                Some((said, after)) => {
                    rest = after;
                    String::from_utf16(said).map_err(|_| Malformed::Cut)
                }
                None => Err(Malformed::Truncated),
            };
            let read = reader.string().map(str::to_owned);
            prop_assert_eq!(&read, &expected);
            if read.is_err() { return Ok(()); }
        }
        prop_assert_eq!(reader.at_end(), if rest.is_empty() { Ok(true) } else { Err(Malformed::Unused) });
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, text: Vec<u8>, string: String) {
        let _ = PageFrame::decode(&bytes, &Limits::default());
        let _ = PageFrame::decode(&[&[VERSION], &bytes[..]].concat(), &Limits::default());
        for text in [&[], &text[..], string.as_bytes()] {
            let _ = PageFrame::decode(&saying(text, text, &[&[1, 0], &bytes[..]].concat()), &Limits::default());
        }
    }
}

#[test]
fn a_frame_of_which_text_is_missing_left_over_or_broken_is_refused() {
    let refused = |bytes: &[u8]| {
        let mut reader = Reader::new(bytes)?;
        while !reader.at_end()? {
            reader.string()?;
        }
        Ok(())
    };
    let first = 2 + WORDS.len();
    let first = [first as u8 | 0x80, (first >> 7) as u8];
    for (bytes, expected) in [
        (vec![], Malformed::Truncated),
        (vec![VERSION], Malformed::Truncated),
        (vec![VERSION - 1, 0], Malformed::Version),
        (vec![VERSION, 0], Malformed::Truncated),
        (vec![VERSION, 5, 0, b'a'], Malformed::Truncated),
        (vec![VERSION, 1, 2, b'a'], Malformed::Truncated),
        (vec![VERSION, 4, 1, 0xf0, 0x9f, 0x98, 0x80], Malformed::Cut),
        (vec![VERSION, 0xff, 0xff, 0xff, 0xff, 0x0f], Malformed::Truncated),
        (frame(b"a", &[0]), Malformed::Truncated),
        (frame(b"a", &[0, 2]), Malformed::Truncated),
        (frame(b"a", &[0, 0xff, 0xff, 0xff, 0xff, 0x0f]), Malformed::Truncated),
        (frame("ä".as_bytes(), &[0, 2]), Malformed::Truncated),
        (frame("😀".as_bytes(), &[0, 1, 0, 1]), Malformed::Cut),
        (frame("a😀".as_bytes(), &[0, 2, 0, 1]), Malformed::Cut),
        (frame(b"a", &[]), Malformed::Unused),
        (frame(b"ab", &[0, 1]), Malformed::Unused),
        (frame(&[0xff], &[0, 1]), Malformed::Utf8),
        (frame(&[0xed, 0xa0, 0x80], &[0, 1]), Malformed::Utf8),
        (frame("ä".as_bytes(), &[first[0], first[1], 1, 1]), Malformed::Entry),
        (saying(b"", b"a", &[0, 1]), Malformed::Truncated),
        (saying(b"a", b"b", &[0, 1]), Malformed::Unused),
        (saying(b"", &[0xff], &[]), Malformed::Utf8),
    ] {
        assert_eq!(refused(&bytes), Err(expected), "{bytes:?}");
    }
    let text = |bytes: &[u8]| Reader::new(bytes).unwrap().text().map(str::to_owned);
    assert_eq!(text(&saying(b"", b"a", &[2])), Err(Malformed::Truncated));
    assert_eq!(text(&saying(b"a", b"", &[1])), Err(Malformed::Truncated), "what strings say is none");
    assert_eq!(text(&saying(b"", "😀".as_bytes(), &[1])), Err(Malformed::Cut));
    assert_eq!(text(&saying(b"a", "😀".as_bytes(), &[2])), Ok("😀".to_owned()));
    let bytes = frame("ä€😀!".as_bytes(), &[0, 1, 1, 1, 0, 2, 0, 1, first[0], first[1], 0, 0]);
    assert_eq!(refused(&bytes), Ok(()));
}

#[test]
fn a_long_string_is_not_kept_whatever_a_frame_says() {
    let read = |length: usize, operations: &[u8]| {
        let bytes = frame("ä".repeat(length).as_bytes(), operations);
        Reader::new(&bytes).unwrap().string().map(str::len)
    };
    assert_eq!(read(KEPT, &[1, KEPT as u8]), Ok(2 * KEPT));
    assert_eq!(read(KEPT + 1, &[0, KEPT as u8 + 1]), Ok(2 * (KEPT + 1)));
    assert_eq!(read(KEPT + 1, &[1, KEPT as u8 + 1]), Err(Malformed::Limit("length of a kept string")));
}

/// `injector/src/wire` writes and reads the same one.
#[test]
fn a_frame_of_the_browsers_code_is_read_and_would_have_been_written_here() {
    let example: serde_json::Value =
        serde_json::from_str(include_str!("../../injector/src/wire/frame.json")).unwrap();
    let all = |name: &str| example[name].as_array().unwrap();
    let hex = example["frame"].as_str().unwrap();
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    let mut reader = Reader::new(&bytes).unwrap();
    let mut out = Writer::new();
    for number in all("unsigned").iter().map(|number| number.as_u64().unwrap() as u32) {
        assert_eq!(reader.uint(), Ok(number));
        out.uint(number);
    }
    for number in all("signed").iter().map(|number| number.as_i64().unwrap() as i32) {
        assert_eq!(reader.int(), Ok(number));
        out.int(number);
    }
    for text in all("strings").iter().map(|text| text.as_str().unwrap()) {
        assert_eq!(reader.string(), Ok(text));
        out.string(text);
    }
    for text in all("texts").iter().map(|text| text.as_str().unwrap()) {
        assert_eq!(reader.text(), Ok(text));
        out.text(text);
    }
    assert_eq!(reader.at_end(), Ok(true));
    assert_eq!(out.finish(), bytes);
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
    let read = |bytes: &[u8]| Reader::new(&frame(b"", bytes)).unwrap().uint();
    assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0x1f]), Err(Malformed::Number));
    assert_eq!(read(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x01]), Err(Malformed::Number));
    assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Ok(u32::MAX));
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
