//! Baskets and orders.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::goods::{self, Product};
use super::money::Cents;

/// So many of one product.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) product: &'static Product,
    pub(super) quantity: u32,
}

impl Line {
    pub(super) fn total(self) -> Cents {
        self.product.price.times(self.quantity)
    }
}

/// What a customer means to buy; at most one line a product.
#[derive(Clone, Debug, Default)]
pub(super) struct Basket(Vec<Line>);

impl Basket {
    pub(super) fn lines(&self) -> &[Line] {
        &self.0
    }

    pub(super) fn add(&mut self, product: &'static Product, quantity: u32) {
        match self.0.iter_mut().find(|line| line.product.slug == product.slug) {
            Some(line) => line.quantity = line.quantity.saturating_add(quantity).min(MAX_QUANTITY),
            None => self.0.push(Line { product, quantity: quantity.clamp(1, MAX_QUANTITY) }),
        }
    }

    pub(super) fn remove(&mut self, slug: &str) {
        self.0.retain(|line| line.product.slug != slug);
    }

    pub(super) fn count(&self) -> u32 {
        self.0.iter().map(|line| line.quantity).sum()
    }

    pub(super) fn total(&self) -> Cents {
        self.0.iter().map(|line| line.total()).sum()
    }
}

/// How it travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shipping {
    Standard,
    Express,
    Pickup,
}

impl Shipping {
    pub(super) const ALL: [Shipping; 3] = [Shipping::Standard, Shipping::Express, Shipping::Pickup];

    pub(super) fn slug(self) -> &'static str {
        match self {
            Shipping::Standard => "standard",
            Shipping::Express => "express",
            Shipping::Pickup => "pickup",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Shipping::Standard => "Standard, 3–5 days",
            Shipping::Express => "Express, tomorrow",
            Shipping::Pickup => "Pick up in the shop",
        }
    }

    pub(super) fn price(self) -> Cents {
        match self {
            Shipping::Standard => Cents(4_90),
            Shipping::Express => Cents(12_00),
            Shipping::Pickup => Cents(0),
        }
    }

    /// What was chosen; the first when nothing, or nothing that we know, was.
    pub(super) fn chosen(slug: &str) -> Shipping {
        Shipping::ALL.into_iter().find(|way| way.slug() == slug).unwrap_or(Shipping::Standard)
    }
}

/// Where an order has got to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Progress {
    Placed,
    Packed,
    OnItsWay,
    Delivered,
}

impl Progress {
    const ALL: [Progress; 4] = [Progress::Placed, Progress::Packed, Progress::OnItsWay, Progress::Delivered];

    pub(super) fn title(self) -> &'static str {
        match self {
            Progress::Placed => "Placed",
            Progress::Packed => "Packed",
            Progress::OnItsWay => "On its way",
            Progress::Delivered => "Delivered",
        }
    }
}

/// An order as the shop keeps it: never with the card's number, only its last four digits.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) number: u32,
    pub(super) placed: String,
    pub(super) progress: Progress,
    pub(super) lines: Vec<Line>,
    pub(super) shipping: Shipping,
    pub(super) gift: bool,
    pub(super) deliver_to: String,
    pub(super) card_ending: String,
}

impl Order {
    pub(super) fn total(&self) -> Cents {
        self.lines.iter().map(|line| line.total()).chain([self.shipping.price()]).sum()
    }

    /// What the list of orders shows.
    pub(super) fn summary(&self) -> Value {
        json!({
            "number": self.number,
            "placed": self.placed,
            "progress": self.progress.title(),
            "items": self.lines.iter().map(|line| line.quantity).sum::<u32>(),
            "total": self.total(),
        })
    }

    /// All of it, for the order's own view.
    pub(super) fn detail(&self) -> Value {
        let mut detail = self.summary();
        detail["steps"] = Progress::ALL
            .into_iter()
            .map(|step| json!({ "title": step.title(), "done": step <= self.progress }))
            .collect();
        detail["lines"] = self
            .lines
            .iter()
            .map(|line| {
                json!({ "name": line.product.name, "slug": line.product.slug, "size": line.product.size,
                                "quantity": line.quantity, "total": line.total() })
            })
            .collect();
        detail["shipping"] = json!({ "title": self.shipping.title(), "price": self.shipping.price() });
        detail["deliverTo"] = json!(self.deliver_to);
        detail["gift"] = json!(self.gift);
        detail["cardEnding"] = json!(self.card_ending);
        detail
    }
}

/// The orders that the demo customer placed before this shop opened; newest first.
pub(super) fn earlier() -> Vec<Order> {
    let order = |number, placed: &str, progress, shipping, lines: &[(&str, u32)]| Order {
        number,
        placed: placed.to_owned(),
        progress,
        shipping,
        lines: lines
            .iter()
            .filter_map(|&(slug, quantity)| Some(Line { product: goods::find(slug)?, quantity }))
            .collect(),
        gift: false,
        deliver_to: "Ada Byron, 12 Analytical Lane, Portland, ME 04101".to_owned(),
        card_ending: "4242".to_owned(),
    };
    vec![
        order(
            20_471,
            "March 3, 2026",
            Progress::OnItsWay,
            Shipping::Express,
            &[("first-light-darjeeling", 2), ("tide-cups", 1)],
        ),
        order(
            20_214,
            "January 18, 2026",
            Progress::Delivered,
            Shipping::Standard,
            &[("misty-ridge-sencha", 1), ("garden-peppermint", 3), ("travel-tin", 1)],
        ),
        order(19_866, "November 29, 2025", Progress::Delivered, Shipping::Pickup, &[("cedar-teapot", 1)]),
    ]
}

/// Today (UTC), as a letter would write it.
pub(super) fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    date(seconds / 86_400)
}

/// A day counted from January 1, 1970, by the calendar (years of 400, as in Hinnant's `civil_from_days`).
fn date(days: u64) -> String {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era + u64::from(month >= 10);
    format!("{} {day}, {year}", MONTHS_FROM_MARCH[month as usize % 12])
}

const MONTHS_FROM_MARCH: [&str; 12] = [
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
    "January",
    "February",
];

/// Of one product in one basket.
const MAX_QUANTITY: u32 = 99;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        let dates: Vec<String> = [0, 58, 59, 11_016, 19_782, 20_454].map(date).into();
        assert_eq!(
            dates,
            [
                "January 1, 1970",
                "February 28, 1970",
                "March 1, 1970",
                "February 29, 2000",
                "February 29, 2024",
                "January 1, 2026"
            ]
        );
    }

    #[test]
    fn a_basket_has_one_line_a_product_and_an_end() {
        let tea = &goods::PRODUCTS[0];
        let mut basket = Basket::default();
        basket.add(tea, 2);
        basket.add(tea, u32::MAX);
        assert_eq!((basket.lines().len(), basket.count()), (1, MAX_QUANTITY));
        assert_eq!(basket.total(), tea.price.times(99));
        basket.remove(tea.slug);
        assert_eq!(basket.total(), Cents(0));
    }

    #[test]
    fn the_earlier_orders_name_products_that_exist() {
        assert_eq!(earlier().iter().map(|order| order.lines.len()).collect::<Vec<_>>(), [2, 3, 1]);
    }
}
