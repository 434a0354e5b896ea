//! Pseudo-classes whose state is the customer's and not the agent's: where they stand in selectors, an attribute
//! that the mirror sets takes their place. An attribute counts as much as a pseudo-class, so the cascade stays.
//! What is selected is the customer's, too: the mirror draws it as a highlight.
//!
//! Whether something is a selector is known only at the `{` after it: `a:hover{…}` and `b:hover;` begin alike. So
//! what may be a state is noted with its place in the output, and replaced, or not, when that is known.

use cssparser::Token;

/// Pseudo-class → attribute. Not of `:-moz-focusring` and the like: but for Firefox, browsers leave rules that ask for it out.
const STATES: [(&str, &str); 14] = [
    ("hover", "[data-tandem-hover]"),
    ("active", "[data-tandem-active]"),
    ("focus", "[data-tandem-focus]"),
    ("focus-visible", "[data-tandem-focus-visible]"),
    ("focus-within", "[data-tandem-focus-within]"),
    ("target", "[data-tandem-target]"),
    ("invalid", "[data-tandem-invalid]"),
    ("valid", "[data-tandem-valid]"),
    ("user-invalid", "[data-tandem-user-invalid]"),
    ("user-valid", "[data-tandem-user-valid]"),
    ("autofill", "[data-tandem-autofill]"),
    ("-webkit-autofill", "[data-tandem-autofill]"),
    ("fullscreen", "[data-tandem-fullscreen]"),
    ("-webkit-full-screen", "[data-tandem-fullscreen]"),
];

/// `::selection` → what the mirror calls the customer's.
const SELECTION: &str = "::highlight(tandem-selection)";

/// After these nothing but some pseudo-classes can stand, or an attribute would mean something else.
const ENDS: [&str; 5] = ["before", "after", "first-line", "first-letter", "host"];

/// What was noted since the last `;`, `{` or `}`.
#[derive(Debug, Default)]
pub(super) struct Run {
    found: Vec<Found>,
    kind: Kind,
}

#[derive(Debug)]
struct Found {
    start: usize,
    /// Not known until the token is written.
    end: Option<usize>,
    instead: &'static str,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Kind {
    /// Nothing was read yet.
    #[default]
    New,
    /// It may be a selector.
    Open,
    /// It is none: the prelude of an at-rule, a custom property.
    Other,
}

/// Where one compound selector stands.
#[derive(Debug, Default)]
pub(super) struct Compound {
    /// Colons just before, and where the first of them is in the output.
    colons: usize,
    start: usize,
    ended: bool,
}

impl Run {
    /// Takes a token that the output will have at `start`. `outermost`: it is not in parentheses.
    pub(super) fn token(&mut self, token: &Token<'_>, start: usize, at: &mut Compound, outermost: bool) {
        if outermost {
            match (token, &self.kind) {
                (Token::WhiteSpace(_) | Token::Comment(_) | Token::CDO | Token::CDC, Kind::New) => {}
                (Token::AtKeyword(name), Kind::New) if !name.eq_ignore_ascii_case("scope") => {
                    self.kind = Kind::Other;
                }
                (Token::Ident(name), Kind::New) if name.starts_with("--") => self.kind = Kind::Other,
                (Token::Semicolon, _) => *self = Run::default(),
                (_, Kind::New) => self.kind = Kind::Open,
                _ => {}
            }
        }
        match token {
            Token::Colon => {
                if at.colons == 0 {
                    at.start = start;
                }
                at.colons += 1;
                return;
            }
            Token::Ident(name) if at.colons == 1 && !at.ended => {
                let state = STATES.iter().find(|(state, _)| name.eq_ignore_ascii_case(state));
                if let Some((_, instead)) = state {
                    self.found.push(Found { start: at.start, end: None, instead });
                }
                at.ended |= ENDS.iter().any(|end| name.eq_ignore_ascii_case(end));
            }
            Token::Ident(name) if at.colons == 2 => {
                if name.eq_ignore_ascii_case("selection") {
                    self.found.push(Found { start: at.start, end: None, instead: SELECTION });
                }
                at.ended = true;
            }
            Token::Function(_) if at.colons == 2 => at.ended = true,
            Token::WhiteSpace(_)
            | Token::Comma
            | Token::Delim('>' | '+' | '~' | '|')
            | Token::CurlyBracketBlock
            | Token::Semicolon => at.ended = false,
            _ => {}
        }
        at.colons = 0;
    }

    /// The token is written; the output ends at `end`.
    pub(super) fn written(&mut self, end: usize) {
        if let Some(Found { end: open @ None, .. }) = self.found.last_mut() {
            *open = Some(end);
        }
    }

    /// A `{` comes: what was read was a selector, or no declaration at least.
    pub(super) fn opens(&mut self, out: &mut String) {
        let run = std::mem::take(self);
        if run.kind == Kind::Other {
            return;
        }
        for found in run.found.iter().rev() {
            out.replace_range(found.start..found.end.unwrap_or(out.len()), found.instead);
        }
    }
}
