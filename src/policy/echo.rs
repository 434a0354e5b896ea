//! Finds what was typed into a masked field wherever else a page shows it, without keeping what was typed.
//!
//! A value is kept as a keyed hash and its length. A text is searched with a rolling hash, one pass for each
//! length, so that cost is bounded by the text and the number of lengths. Case and the separators that people
//! and forms put into numbers make no difference. Values of fewer than [`SHORTEST`] characters are no secrets.
//!
//! The customer's browser does the same (`injector/src/echoes/finder.ts`): both must find the same.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::customer::{Echo, EchoKey};

/// Characters that count of the shortest value.
pub(super) const SHORTEST: usize = 4;
/// The same where a short match would do more harm than good: in style sheets, names and sizes.
pub(super) const SHORTEST_IN_CODE: usize = 8;
/// Characters of the longest piece; a longer value is several pieces.
const LONGEST: usize = 64;
/// Pieces of one session; what is typed after them is not looked for.
const MOST: usize = 2_000;
/// Pieces of one value.
const PIECES: usize = 64;
/// Bytes of a value that may be a password.
const LONGEST_PASSWORD: usize = 4 * LONGEST * PIECES;

/// Two primes below 2^26: products stay exact in a browser's numbers.
const PRIMES: [u64; 2] = [67_108_859, 67_108_837];

/// What was typed in a session, as hashes.
#[derive(Debug, Clone)]
pub(super) struct Echoes {
    key: EchoKey,
    /// Length → hashes.
    known: BTreeMap<usize, BTreeSet<[u32; 2]>>,
    /// Which of them are of passwords.
    passwords: BTreeSet<(usize, [u32; 2])>,
    count: usize,
}

/// A text with only what counts: characters and the bytes that each stands for.
struct Reduced {
    chars: Vec<u32>,
    spans: Vec<(usize, usize)>,
}

impl Echoes {
    pub(super) fn new(secret: [u8; 16]) -> Echoes {
        let base = |bytes: [u8; 8], prime: u64| (u64::from_le_bytes(bytes) % (prime - 1_000) + 500) as u32;
        let [one, two] = [0, 8].map(|at| std::array::from_fn(|i| secret[at + i]));
        let key = EchoKey { one: base(one, PRIMES[0]), two: base(two, PRIMES[1]) };
        Echoes { key, known: BTreeMap::new(), passwords: BTreeSet::new(), count: 0 }
    }

    /// For the customer's browser.
    pub(super) fn key(&self) -> EchoKey {
        self.key
    }

    /// For the customer's browser.
    pub(super) fn all(&self) -> Vec<Echo> {
        let of = |(length, hashes): (&usize, &BTreeSet<[u32; 2]>)| {
            let echo = |hash: &[u32; 2]| {
                let password = self.passwords.contains(&(*length, *hash));
                Echo { length: *length as u32, one: hash[0], two: hash[1], password }
            };
            hashes.iter().map(echo).collect::<Vec<_>>()
        };
        self.known.iter().flat_map(of).collect()
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Remembers a value. Returns whether it is new.
    pub(super) fn learn(&mut self, value: &str, password: bool) -> bool {
        self.pieces(value)
            .into_iter()
            .fold(false, |new, (length, hash)| self.add(length, hash, password) | new)
    }

    /// Whether a value is a password that was typed: the whole of it, not only a part.
    pub(super) fn is_password(&self, value: &str) -> bool {
        if self.passwords.is_empty() || value.len() > LONGEST_PASSWORD {
            return false;
        }
        let pieces = self.pieces(value);
        !pieces.is_empty() && pieces.iter().all(|piece| self.passwords.contains(piece))
    }

    /// Whether any password was typed.
    pub(super) fn knows_passwords(&self) -> bool {
        !self.passwords.is_empty()
    }

    /// Lengths and hashes of a value; none when it is too short to be a secret.
    fn pieces(&self, value: &str) -> Vec<(usize, [u32; 2])> {
        let chars = reduce(value, false).chars;
        if chars.len() < SHORTEST {
            return Vec::new();
        }
        // The last piece ends where the value does.
        let starts = (0..chars.len()).step_by(LONGEST).take(PIECES);
        let piece = |start: usize| {
            let end = (start + LONGEST).min(chars.len());
            let start = end.saturating_sub(LONGEST).min(start);
            (end - start, self.hash(&chars[start..end]))
        };
        starts.map(piece).collect()
    }

    /// Remembers what the customer's browser hashed. Returns whether it is new.
    pub(super) fn learn_hash(&mut self, echo: Echo) -> bool {
        let length = echo.length as usize;
        (SHORTEST..=LONGEST).contains(&length) && self.add(length, [echo.one, echo.two], echo.password)
    }

    fn add(&mut self, length: usize, hash: [u32; 2], password: bool) -> bool {
        if self.count >= MOST {
            return false;
        }
        let new = self.known.entry(length).or_default().insert(hash);
        self.count += usize::from(new);
        (password && self.passwords.insert((length, hash))) | new
    }

    fn hash(&self, chars: &[u32]) -> [u32; 2] {
        let one = |base: u32, prime: u64| {
            chars.iter().fold(0, |hash, char| (hash * u64::from(base) + u64::from(*char) + 1) % prime) as u32
        };
        [one(self.key.one, PRIMES[0]), one(self.key.two, PRIMES[1])]
    }

    /// The text with bullets in place of every value of at least `shortest` characters, if there is one in it.
    pub(super) fn hide<'t>(&self, text: &'t str, shortest: usize) -> Cow<'t, str> {
        if self.count == 0 || text.len() < shortest {
            return Cow::Borrowed(text);
        }
        let mut struck = vec![false; text.len()];
        let mut any = self.strike(&reduce(text, false), shortest, &mut struck);
        if text.contains('%') {
            any |= self.strike(&reduce(text, true), shortest, &mut struck);
        }
        if !any {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        for (at, char) in text.char_indices() {
            out.push(if struck[at] && !char.is_whitespace() { '•' } else { char });
        }
        Cow::Owned(out)
    }

    fn strike(&self, text: &Reduced, shortest: usize, struck: &mut [bool]) -> bool {
        let mut any = false;
        for (length, hashes) in self.known.range(shortest..) {
            let length = *length;
            if text.chars.len() < length {
                break;
            }
            let keys = [(u64::from(self.key.one), PRIMES[0]), (u64::from(self.key.two), PRIMES[1])];
            let top = keys.map(|(base, prime)| (1..length).fold(1, |power, _| power * base % prime));
            let first = self.hash(&text.chars[..length]);
            let mut rolling = first.map(u64::from);
            for start in 0..=text.chars.len() - length {
                if start > 0 {
                    let (gone, come) = (text.chars[start - 1], text.chars[start + length - 1]);
                    for (hash, ((base, prime), top)) in rolling.iter_mut().zip(keys.iter().zip(top)) {
                        let less = (u64::from(gone) + 1) * top % prime;
                        *hash = ((*hash + prime - less) * base + u64::from(come) + 1) % prime;
                    }
                }
                if hashes.contains(&rolling.map(|hash| hash as u32)) {
                    any = true;
                    let (from, to) = (text.spans[start].0, text.spans[start + length - 1].1);
                    struck[from..to].fill(true);
                }
            }
        }
        any
    }
}

/// What does not count: the separators of numbers, dates and form encoding.
fn separates(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\r' | '\x0c' | '-' | '.' | '/' | '(' | ')' | '+')
        || matches!(char, '\u{a0}' | '\u{2009}' | '\u{202f}')
}

fn reduce(text: &str, escaped: bool) -> Reduced {
    let mut out = Reduced { chars: Vec::with_capacity(text.len()), spans: Vec::with_capacity(text.len()) };
    let mut rest = text.char_indices();
    while let Some((at, char)) = rest.next() {
        let mut end = at + char.len_utf8();
        let mut char = char;
        if escaped
            && char == '%'
            && let Some((decoded, length)) = decode(&text.as_bytes()[at..])
        {
            char = decoded;
            end = at + length;
            // Escapes are ASCII: as many characters as bytes, and one is taken already.
            for _ in 1..length {
                rest.next();
            }
        }
        if !separates(char) {
            out.chars.push(u32::from(char.to_ascii_lowercase()));
            out.spans.push((at, end));
        }
    }
    out
}

/// The character that one or several `%XX` at the start stand for, and how many bytes these are.
fn decode(text: &[u8]) -> Option<(char, usize)> {
    let mut bytes = [0; 4];
    for count in 0..4 {
        let hex = text.get(3 * count..3 * count + 3)?;
        let hex = std::str::from_utf8(hex).ok()?.strip_prefix('%')?;
        if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        bytes[count] = u8::from_str_radix(hex, 16).ok()?;
        if let Ok(decoded) = std::str::from_utf8(&bytes[..=count]) {
            return decoded.chars().next().map(|char| (char, 3 * (count + 1)));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knowing(values: &[&str]) -> Echoes {
        let mut echoes = Echoes::new(*b"sixteen bytes ok");
        values.iter().for_each(|value| {
            echoes.learn(value, false);
        });
        echoes
    }

    #[test]
    fn what_was_typed_is_found_however_it_is_written() {
        let echoes = knowing(&["4111 1111-22223333", "Ada Lovelace"]);
        for (text, wanted) in [
            ("card 4111111122223333!", "card ••••••••••••••••!"),
            ("4111 1111 2222 3333", "•••• •••• •••• ••••"),
            ("4111-1111-2222-3333", "•••••••••••••••••••"),
            ("dear ADA  LOVELACE,", "dear •••  ••••••••,"),
            ("/?name=Ada+Lovelace&x", "/?name=••••••••••••&x"),
            ("/?name=%41da%20Lovelace&x", "/?name=••••••••••••••••&x"),
            ("4111 1111 2222 333", "4111 1111 2222 333"),
            ("Ada", "Ada"),
        ] {
            assert_eq!(echoes.hide(text, SHORTEST), wanted, "{text}");
        }
    }

    #[test]
    fn short_values_are_no_secrets() {
        let mut echoes = knowing(&["abc", "1-2-3", ""]);
        assert!(echoes.is_empty());
        assert!(echoes.learn("abcd", false) && !echoes.learn("ABCD", false));
        assert_eq!(echoes.hide("abcd", SHORTEST_IN_CODE), "abcd");
        assert_eq!(echoes.hide("xabcdx", SHORTEST), "x••••x");
    }

    #[test]
    fn a_password_is_known_as_a_whole_and_only_a_password() {
        let mut echoes = knowing(&["Ada Lovelace"]);
        let long = "correct horse battery staple ".repeat(9);
        assert!(!echoes.is_password("Ada Lovelace"));
        assert!(echoes.learn("hunter2", true) && echoes.learn(&long, true));
        for (value, is) in
            [("hunter2", true), ("hunter22", false), ("hunter", false), (&long, true), ("", false)]
        {
            assert_eq!(echoes.is_password(value), is, "{value}");
        }
        assert!(echoes.learn("Ada Lovelace", true), "it is news that it is a password");
        assert!(echoes.all().iter().all(|echo| echo.password));
    }

    #[test]
    fn long_values_are_found_as_a_whole() {
        let value: String = (0..300).map(|i| char::from_u32(0x4e00 + i * 7 % 900).unwrap()).collect();
        let echoes = knowing(&[&value]);
        assert_eq!(echoes.hide(&format!("<{value}>"), SHORTEST), format!("<{}>", "•".repeat(300)));
    }

    #[test]
    fn the_number_of_values_is_bounded() {
        let mut echoes = knowing(&[]);
        for n in 0..MOST + 50 {
            echoes.learn(&format!("value{n:08}"), false);
        }
        assert_eq!(echoes.all().len(), MOST);
    }

    #[test]
    fn the_browser_has_the_same_hashes() {
        // The same example is in `injector/src/customer/echoes.test.ts`.
        let mut echoes = Echoes { key: EchoKey { one: 123_456, two: 654_321 }, ..knowing(&[]) };
        echoes.learn("Hunter 2-é€", false);
        assert_eq!(echoes.all(), EXAMPLE);
    }

    const EXAMPLE: [Echo; 1] = [Echo { length: 9, one: 50_094_066, two: 55_702_888, password: false }];

    proptest::proptest! {
        #[test]
        fn nothing_that_was_typed_remains(before in ".{0,20}", value in "[a-zA-Z0-9é ]{4,90}", after in ".{0,20}") {
            let echoes = knowing(&[&value]);
            let text = format!("{before}{value}{after}");
            let hidden = echoes.hide(&text, SHORTEST);
            let counts = value.chars().filter(|char| !separates(*char)).count();
            proptest::prop_assert!(counts < SHORTEST || !hidden.contains(value.trim()));
            proptest::prop_assert_eq!(hidden.chars().count(), text.chars().count());
        }
    }
}
