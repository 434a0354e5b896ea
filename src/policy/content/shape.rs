//! Of a style attribute in what is masked, what shapes it.

/// The declarations of a style attribute that can say nothing but how large, where and how coloured: without
/// strings, URLs and custom properties.
pub(super) fn shape_only(css: &str) -> Box<str> {
    let mut out = String::new();
    let mut parser = cssparser::Parser::new(css);
    while !parser.is_exhausted() {
        let start = parser.position();
        let mut says = false;
        let mut name = true;
        let _ = parser.parse_until_before(cssparser::Delimiter::Semicolon, |inner| {
            says = speaks(inner, &mut name, 0);
            Ok::<(), cssparser::ParseError<()>>(())
        });
        if !says {
            out.push_str(parser.slice_from(start).trim());
            out.push(';');
        }
        let _ = parser.next();
    }
    out.into()
}

/// Whether there is a token that can carry content. `name`: the next identifier is the property's.
fn speaks(parser: &mut cssparser::Parser<'_>, name: &mut bool, depth: usize) -> bool {
    use cssparser::Token;
    /// Properties that take words of the author's choice.
    const WORDS: [&str; 6] = ["content", "font", "font-family", "quotes", "will-change", "animation-name"];
    loop {
        let block = match parser.next_including_whitespace_and_comments() {
            Err(_) => return false,
            Ok(Token::WhiteSpace(_)) => continue,
            Ok(Token::Ident(word)) => {
                if std::mem::take(name)
                    && (word.starts_with("--") || WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)))
                {
                    return true;
                }
                false
            }
            Ok(
                Token::QuotedString(_)
                | Token::UnquotedUrl(_)
                | Token::BadUrl(_)
                | Token::BadString(_)
                | Token::Comment(_)
                | Token::AtKeyword(_)
                | Token::CurlyBracketBlock,
            ) => return true,
            Ok(Token::Function(function)) => {
                let known = [
                    "calc",
                    "rgb",
                    "rgba",
                    "hsl",
                    "hsla",
                    "min",
                    "max",
                    "clamp",
                    "translate",
                    "translatex",
                    "translatey",
                    "translate3d",
                    "scale",
                    "rotate",
                    "repeat",
                    "minmax",
                ];
                if depth > 8 || !known.iter().any(|known| function.eq_ignore_ascii_case(known)) {
                    return true;
                }
                true
            }
            Ok(Token::ParenthesisBlock | Token::SquareBracketBlock) => {
                if depth > 8 {
                    return true;
                }
                true
            }
            Ok(_) => false,
        };
        if block {
            let mut inner = false;
            let _ = parser.parse_nested_block(|nested| {
                inner = speaks(nested, name, depth + 1);
                Ok::<(), cssparser::ParseError<()>>(())
            });
            if inner {
                return true;
            }
        }
    }
}
