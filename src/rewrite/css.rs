//! Maps every URL that a style sheet (or a style attribute) would fetch, and every pseudo-class whose state is the
//! customer's ([`states`]).
//!
//! Nothing fetched survives unmapped: what [`map_urls`]'s callback does not replace becomes
//! `about:invalid`, which no browser fetches, and what could turn into a URL only later (a `var()` inside
//! `image-set()`) is dropped. All that is not a URL stays byte for byte what it was. Tokens are those of CSS
//! Syntax 3; nesting is followed to [`DEPTH`] blocks, and a sheet that goes deeper ends there.

mod reading;
mod states;

use cssparser::{ParseError, Parser, SourcePosition, Token, serialize_string};

pub use self::reading::read;
use self::states::{Compound, Run};

/// How deep blocks and functions may nest; style sheets written by people or tools stay below ten.
pub const DEPTH: usize = 100;

/// What takes the place of a URL that is not mapped: the invalid image of CSS Images 3, never fetched.
pub const NOTHING: &str = "about:invalid";

/// What a URL is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CssUrl {
    /// An image, font, cursor, filter: everything but a style sheet.
    Image,
    /// The target of `@import`: another style sheet.
    Import,
}

/// Returns `css` with every URL replaced by what `map` makes of it; `None` makes it [`NOTHING`]. In selectors,
/// states of the customer (`:hover`, `:focus`, `:invalid`, …) become attributes that the mirror sets, and `::selection` what
/// it highlights.
///
/// `map` is given the URL as the browser would see it (escapes resolved) and as written (not resolved against
/// any base): `url(…)`, `url("…")`, `src("…")`, the strings of `@import`, `image-set()` and `image()`, at any
/// depth and also in custom properties.
pub fn map_urls(css: &str, map: &mut dyn FnMut(&str, CssUrl) -> Option<String>) -> String {
    let mut mapper = Mapper {
        out: String::with_capacity(css.len() + css.len() / 8),
        map,
        run: Run::default(),
        full: false,
    };
    let mut parser = Parser::new(css);
    // Our own bound is the one that holds.
    parser.set_nested_block_limit(0);
    mapper.walk(&mut parser, Inside::Anything, Level::Rules, 0);
    mapper.out
}

/// What the strings and functions of a block mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Strings are text.
    Anything,
    /// `url("…")` and `src("…")`: the string is a URL.
    Url(CssUrl),
    /// `image-set(…)` and `image(…)`: strings are URLs, and only known functions may stand among them.
    Images,
}

/// Where in a sheet a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// Rules and declarations: the sheet itself and what is in braces.
    Rules,
    /// A part of one of them.
    Part,
}

struct Mapper<'m> {
    out: String,
    map: &'m mut dyn FnMut(&str, CssUrl) -> Option<String>,
    run: Run,
    /// The depth was exceeded: the rest of the sheet is dropped.
    full: bool,
}

/// What has to be done with the token just read; it frees the parser for what follows.
enum Step {
    Copy,
    Url(String, CssUrl),
    BadUrl,
    Text(String),
    BadString,
    Block(Inside, Level),
    /// A function whose arguments cannot be judged, in a place where they become URLs.
    Unknown,
}

impl Mapper<'_> {
    fn walk(&mut self, parser: &mut Parser<'_>, inside: Inside, level: Level, depth: usize) {
        let mut compound = Compound::default();
        // `@import` was read, and its URL is the next thing that is not white space.
        let mut import = false;
        loop {
            if self.full {
                return;
            }
            let start = parser.position();
            let step = {
                let Ok(token) = parser.next_including_whitespace_and_comments() else { return };
                let kind = if import { CssUrl::Import } else { CssUrl::Image };
                let awaited = import;
                if !matches!(token, Token::WhiteSpace(_) | Token::Comment(_)) {
                    import = false;
                }
                self.run.token(token, self.out.len(), &mut compound, level == Level::Rules);
                let braces = matches!(token, Token::CurlyBracketBlock);
                match token {
                    Token::AtKeyword(name) => {
                        import = name.eq_ignore_ascii_case("import");
                        Step::Copy
                    }
                    Token::UnquotedUrl(url) => Step::Url(url.to_string(), kind),
                    Token::BadUrl(_) => Step::BadUrl,
                    Token::QuotedString(text) => match inside {
                        Inside::Url(kind) => Step::Text(self.mapped(text, kind)),
                        Inside::Images => Step::Text(self.mapped(text, CssUrl::Image)),
                        _ if awaited => Step::Text(self.mapped(text, CssUrl::Import)),
                        _ => Step::Copy,
                    },
                    Token::BadString(_) => Step::BadString,
                    Token::Function(name) => function(name, inside, kind),
                    Token::ParenthesisBlock | Token::SquareBracketBlock | Token::CurlyBracketBlock => {
                        let level = if braces { Level::Rules } else { Level::Part };
                        Step::Block(if inside == Inside::Images { inside } else { Inside::Anything }, level)
                    }
                    _ => Step::Copy,
                }
            };
            match step {
                Step::Copy => self.out.push_str(parser.slice_from(start)),
                Step::Url(url, kind) => {
                    let target = self.mapped(&url, kind);
                    self.url(&target);
                }
                // The browser sees no URL there either.
                Step::BadUrl => self.url(NOTHING),
                Step::Text(target) => quote(&target, &mut self.out),
                // The line end that made it bad comes next and keeps it bad, without its text.
                Step::BadString => self.out.push('"'),
                Step::Block(inside, level) => self.block(parser, start, inside, level, depth),
                Step::Unknown => {
                    self.url(NOTHING);
                    // What is left unread of a block is skipped without recursion.
                    let _ = parser.parse_nested_block(|_| Ok::<(), ParseError<()>>(()));
                }
            }
            self.run.written(self.out.len());
        }
    }

    /// Copies the opening of a block, walks through it and copies its end, if it has one.
    fn block(
        &mut self,
        parser: &mut Parser<'_>,
        start: SourcePosition,
        inside: Inside,
        level: Level,
        depth: usize,
    ) {
        if depth >= DEPTH {
            self.full = true;
            return;
        }
        if level == Level::Rules {
            self.run.opens(&mut self.out);
        }
        self.out.push_str(parser.slice_from(start));
        let mut end = parser.position();
        let _ = parser.parse_nested_block(|nested| -> Result<(), ParseError<()>> {
            self.walk(nested, inside, level, depth + 1);
            end = nested.position();
            Ok(())
        });
        if level == Level::Rules {
            self.run = Run::default();
        }
        if !self.full {
            self.out.push_str(parser.slice(end..parser.position()));
        }
    }

    fn url(&mut self, target: &str) {
        self.out.push_str("url(");
        quote(target, &mut self.out);
        self.out.push(')');
    }

    fn mapped(&mut self, url: &str, kind: CssUrl) -> String {
        (self.map)(url, kind).unwrap_or_else(|| NOTHING.to_owned())
    }
}

fn function(name: &str, inside: Inside, kind: CssUrl) -> Step {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "url" | "src" => Step::Block(Inside::Url(kind), Level::Part),
        "image-set" | "-webkit-image-set" | "image" => Step::Block(Inside::Images, Level::Part),
        _ => match inside {
            Inside::Anything => Step::Block(Inside::Anything, Level::Part),
            // `src(var(--x))`
            Inside::Url(_) => Step::Unknown,
            Inside::Images if name == "type" || name == "calc" || name.ends_with("-gradient") => {
                Step::Block(Inside::Anything, Level::Part)
            }
            Inside::Images if name == "cross-fade" || name == "-webkit-cross-fade" => {
                Step::Block(Inside::Images, Level::Part)
            }
            // `image-set(var(--x) 1x)`: `--x` may be any string.
            Inside::Images => Step::Unknown,
        },
    }
}

fn quote(text: &str, out: &mut String) {
    // Writing to a `String` cannot fail.
    let _ = serialize_string(text, out);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rewrite::fuzz::cases;

    fn mapped(css: &str) -> String {
        map_urls(css, &mut |url, kind| {
            Some(format!("{}:{url}", if kind == CssUrl::Import { "i" } else { "u" }))
        })
    }

    fn urls(css: &str) -> Vec<String> {
        let mut urls = Vec::new();
        map_urls(css, &mut |url, _| {
            urls.push(url.to_owned());
            None
        });
        urls
    }

    #[test]
    fn maps_what_a_browser_fetches() {
        for (css, expected) in [
            ("a{background:url(x.png)}", r#"a{background:url("u:x.png")}"#),
            ("a{background:URL( 'x.png' )}", r#"a{background:URL( "u:x.png" )}"#),
            (r"a{background:u\72l(x)}", r#"a{background:url("u:x")}"#),
            (r#"a{background:url("x\2e png")}"#, r#"a{background:url("u:x.png")}"#),
            ("@import 'a.css' print;", r#"@import "i:a.css" print;"#),
            ("@IMPORT/**/url(a.css);", r#"@IMPORT/**/url("i:a.css");"#),
            ("@import url('a.css') supports(b:url(c));", r#"@import url("i:a.css") supports(b:url("u:c"));"#),
            (
                "a{b:image-set('x' 1x, url(y) 2x type('image/png'))}",
                r#"a{b:image-set("u:x" 1x, url("u:y") 2x type('image/png'))}"#,
            ),
            ("a{b:-webkit-image-set('x' 1x)}", r#"a{b:-webkit-image-set("u:x" 1x)}"#),
            (
                "a{b:image-set(linear-gradient(red,rgb(1,2,3)) 1x)}",
                "a{b:image-set(linear-gradient(red,rgb(1,2,3)) 1x)}",
            ),
            ("a{b:image-set(var(--x) 1x)}", r#"a{b:image-set(url("about:invalid") 1x)}"#),
            ("a{b:src('x')}", r#"a{b:src("u:x")}"#),
            ("a{b:src(var(--x, 'y'))}", r#"a{b:src(url("about:invalid"))}"#),
            (
                "@media x{@supports (a:b){@layer{a{b:c(d(url(e)))}}}}",
                r#"@media x{@supports (a:b){@layer{a{b:c(d(url("u:e")))}}}}"#,
            ),
            ("a{--x:url(y)}", r#"a{--x:url("u:y")}"#),
            (
                "@font-face{src:url(f.woff2) format('woff2')}",
                r#"@font-face{src:url("u:f.woff2") format('woff2')}"#,
            ),
            ("a{b:url(x", r#"a{b:url("u:x")"#),
            ("a{b:url('x", r#"a{b:url("u:x""#),
            ("a{b:url(x y)}", r#"a{b:url("about:invalid")}"#),
            ("a{b:url()}", r#"a{b:url("u:")}"#),
        ] {
            assert_eq!(mapped(css), expected, "for {css}");
        }
    }

    #[test]
    fn leaves_everything_else_as_it_is() {
        for css in [
            "",
            "@charset \"utf-8\"; a { content: \"url(x)\"; /* url(y) */ }",
            "a[href='x.png']{color:red}\r\n\tb:first-child>c~d+e{}",
            "@media (hover:hover) and (any-hover:hover){a{animation:hover 1s;--x:hover;grid-area:target}}",
            "a::before:hover,b:before:focus,::part(x):hover,:host:hover{c:d}",
            "@supports selector(:focus-visible){--a:hover{}} a{--b:{c:focus}}",
            "@import foo; 'x' a{b:'c'}",
            "a{b:c)]}d{e:f}",
            "<!-- a{b:\\66 oo} -->",
            "a{b:(c[d{e}f]g)",
            "/* never ends url(x)",
        ] {
            assert_eq!(mapped(css), css);
        }
    }

    #[test]
    fn states_of_the_customer_become_attributes() {
        for (css, expected) in [
            ("a:hover{b:c}", "a[data-tandem-hover]{b:c}"),
            (
                "a:HOVER , b:focus-within>c:not(:active,.d):f\\6f cus {}",
                "a[data-tandem-hover] , b[data-tandem-focus-within]>c:not([data-tandem-active],.d)[data-tandem-focus] {}",
            ),
            (
                "@media (hover:hover){a:hover{b:hover;&:target{c:d}}}",
                "@media (hover:hover){a[data-tandem-hover]{b:hover;&[data-tandem-target]{c:d}}}",
            ),
            (
                "a{b:c;d:e}f:invalid::after,g::slotted(h:hover) i:valid{}",
                "a{b:c;d:e}f[data-tandem-invalid]::after,g::slotted(h[data-tandem-hover]) i[data-tandem-valid]{}",
            ),
            (
                ":host(:hover) a,:is(b,c:hover) d{}",
                ":host([data-tandem-hover]) a,:is(b,c[data-tandem-hover]) d{}",
            ),
            ("@scope (a:hover) to (b){c{}}", "@scope (a[data-tandem-hover]) to (b){c{}}"),
            ("a{b:url(c)}d:hover{e:url(f)}", "a{b:url(\"u:c\")}d[data-tandem-hover]{e:url(\"u:f\")}"),
            ("a:hover", "a:hover"),
            ("a::before{b:c}d:hover{e:f}", "a::before{b:c}d[data-tandem-hover]{e:f}"),
            ("a{b::c;d:hover{e:f}}", "a{b::c;d[data-tandem-hover]{e:f}}"),
            (
                "::selection{b:c}a:focus::SELECTION,d{--e:f::selection}",
                "::highlight(tandem-selection){b:c}a[data-tandem-focus]::highlight(tandem-selection),d{--e:f::selection}",
            ),
        ] {
            assert_eq!(mapped(css), expected, "for {css}");
        }
    }

    #[test]
    fn drops_what_is_not_mapped() {
        let css = "@import 'a';b{c:url(d) url('e') image-set('f' 1x)}";
        let out = map_urls(css, &mut |_, _| None);
        assert_eq!(
            out,
            "@import \"about:invalid\";b{c:url(\"about:invalid\") url(\"about:invalid\") image-set(\"about:invalid\" 1x)}"
        );
    }

    #[test]
    fn a_replacement_cannot_break_out() {
        let out = map_urls("a{b:url(x)}", &mut |_, _| Some("\"\\\n);}*{c:d".to_owned()));
        assert_eq!(urls(&out), ["\"\\\n);}*{c:d"]);
    }

    #[test]
    fn a_bad_string_keeps_its_effect_and_loses_its_text() {
        let out = mapped("a{b:'http://secret\n;c:url(d)}");
        assert_eq!(out, "a{b:\"\n;c:url(\"u:d\")}");
    }

    #[test]
    fn ends_where_nesting_goes_too_deep() {
        for open in ["(", "[", "{", "f(", "image-set("] {
            let css = format!("a{{b:url(c)}}{}url(d)", open.repeat(100_000));
            let out = mapped(&css);
            assert!(out.starts_with("a{b:url(\"u:c\")}"), "{open}");
            assert!(out.len() < 2000 && !out.contains('d'), "{open}");
        }
        let fits = format!("{}url(x){}", "(".repeat(DEPTH), ")".repeat(DEPTH));
        assert_eq!(urls(&fits), ["x"]);
    }

    /// The tokens as a browser would see them, `url(x)` and `url("x")` being the same.
    fn meaning(css: &str) -> Vec<String> {
        fn read(parser: &mut Parser<'_>, out: &mut Vec<String>) {
            loop {
                let token = match parser.next_including_whitespace() {
                    Ok(token) => token.clone(),
                    Err(_) => return,
                };
                match &token {
                    Token::UnquotedUrl(url) => {
                        out.push("url".into());
                        out.push(format!("{:?}", Token::QuotedString(url.clone())));
                        out.push(")".into());
                    }
                    Token::BadUrl(_) => {
                        out.extend([
                            "url".into(),
                            format!("{:?}", Token::QuotedString(NOTHING.into())),
                            ")".into(),
                        ]);
                    }
                    Token::BadString(_) => out.push("bad".into()),
                    Token::Function(_)
                    | Token::ParenthesisBlock
                    | Token::SquareBracketBlock
                    | Token::CurlyBracketBlock => {
                        let url = matches!(&token, Token::Function(name) if name.eq_ignore_ascii_case("url"));
                        out.push(if url { "url".into() } else { format!("{token:?}") });
                        let before = out.len();
                        let _ = parser.parse_nested_block(|nested| {
                            read(nested, out);
                            Ok::<(), ParseError<()>>(())
                        });
                        if url {
                            // White space around the string means nothing.
                            let inner = out.split_off(before);
                            out.extend(inner.into_iter().filter(|token| !token.starts_with("WhiteSpace")));
                        }
                        out.push(")".into());
                    }
                    token => out.push(format!("{token:?}")),
                }
            }
        }
        let mut out = Vec::new();
        read(&mut Parser::new(css), &mut out);
        out
    }

    fn sheet() -> impl Strategy<Value = String> {
        prop::collection::vec(
            prop::sample::select(vec![
                "a",
                "{",
                "}",
                "(",
                ")",
                "[",
                "]",
                ":",
                ";",
                ",",
                " ",
                "\n",
                "'",
                "\"",
                "\\",
                "url(",
                "URL('",
                "@import",
                "image-set(",
                "src(",
                "http://o/x",
                "/*",
                "*/",
                "\\75rl(",
                "f(",
                "1px",
                "#",
                "@",
                "-",
                "<!--",
                "\u{e9}",
            ]),
            0..30,
        )
        .prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(cases(1000))]

        #[test]
        fn identity_keeps_the_meaning(css in sheet()) {
            let out = map_urls(&css, &mut |url, _| Some(url.to_owned()));
            // Functions that might become URLs are dropped whatever the map says.
            prop_assume!(!out.contains(NOTHING) || css.contains(NOTHING));
            prop_assert_eq!(meaning(&out), meaning(&css), "{:?} became {:?}", css, out);
        }

        #[test]
        fn nothing_survives_unmapped(css in sheet()) {
            let out = map_urls(&css, &mut |_, _| None);
            for url in urls(&out) {
                prop_assert_eq!(&url, NOTHING, "{:?} became {:?}", css, out);
            }
        }

        #[test]
        fn no_input_panics(css in "\\PC*") {
            mapped(&css);
        }
    }
}
