//! How much work it can be to ask a selector about one element, told from the selector alone.
//!
//! What counts is not how long a selector is but how many walks (up, along, down) it makes inside each other: each
//! multiplies the work by what a page has of ancestors, siblings or descendants.

use selectors::parser::{Combinator, Component, Selector as Complex};

use super::selector::Css;

/// Walks inside each other of the worst in the list.
pub(super) fn walks(list: &[Complex<Css>]) -> usize {
    list.iter().map(of_complex).max().unwrap_or(0)
}

fn of_complex(complex: &Complex<Css>) -> usize {
    let (mut walked, mut inside, mut beside) = (0, 0, 0);
    let mut components = complex.iter_raw_match_order().peekable();
    // From the right: what comes after a combinator is asked of everything on the way.
    while let Some(component) = components.next() {
        let own = match component {
            Component::Combinator(Combinator::Descendant | Combinator::LaterSibling)
                if !matches!(components.peek(), Some(Component::RelativeSelectorAnchor)) =>
            {
                walked = 1;
                continue;
            }
            Component::Is(list) | Component::Where(list) | Component::Negation(list) => walks(list.slice()),
            // The answers to these are remembered for each element that they are asked of.
            Component::Has(relative) => {
                let inner = relative.iter().map(|relative| of_complex(&relative.selector)).max();
                beside = beside.max(1 + inner.unwrap_or(0));
                continue;
            }
            Component::NthOf(data) => {
                beside = beside.max(1 + walks(data.selectors()));
                continue;
            }
            _ => continue,
        };
        if walked > 0 {
            inside = inside.max(own);
        } else {
            beside = beside.max(own);
        }
    }
    beside.max(walked + inside)
}
