//! What the shop sells.

use super::money::Cents;

/// One thing on the shelf.
#[derive(Debug)]
pub(super) struct Product {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) price: Cents,
    pub(super) size: &'static str,
    pub(super) origin: &'static str,
    pub(super) blurb: &'static str,
    pub(super) about: &'static str,
    pub(super) facts: [(&'static str, &'static str); 3],
    pub(super) caffeine: Caffeine,
    pub(super) rating: &'static str,
    /// Its picture under `/members/images/`.
    pub(super) image: &'static str,
}

/// The shelves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Green,
    Black,
    Herbal,
    Teaware,
}

/// Whether it keeps one awake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caffeine {
    Free,
    Some,
}

impl Kind {
    pub(super) const ALL: [Kind; 4] = [Kind::Green, Kind::Black, Kind::Herbal, Kind::Teaware];

    /// As it stands in an address.
    pub(super) fn slug(self) -> &'static str {
        match self {
            Kind::Green => "green",
            Kind::Black => "black",
            Kind::Herbal => "herbal",
            Kind::Teaware => "teaware",
        }
    }

    /// As people read it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Kind::Green => "Green tea",
            Kind::Black => "Black tea",
            Kind::Herbal => "Herbal",
            Kind::Teaware => "Teaware",
        }
    }

    pub(super) fn from_slug(slug: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.slug() == slug)
    }
}

/// The product of a page's address.
pub(super) fn find(slug: &str) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.slug == slug)
}

pub(super) static PRODUCTS: [Product; 9] = [
    Product {
        slug: "misty-ridge-sencha",
        name: "Misty Ridge Sencha",
        kind: Kind::Green,
        price: Cents(14_50),
        size: "100 g tin",
        origin: "Shizuoka, Japan",
        blurb: "First-flush leaves, deep-steamed: sweet pea, sea air and a long clean finish.",
        about: "Picked in the last week of April on a north-facing slope that keeps its morning fog until ten. \
                The leaves are steamed within the hour, rolled by machine and finished by hand.",
        facts: [("Water", "158 °F"), ("Steep", "60 seconds"), ("Leaf", "1 tsp a cup")],
        caffeine: Caffeine::Some,
        rating: "4.8",
        image: "sencha.jpg",
    },
    Product {
        slug: "moonflower-jasmine",
        name: "Moonflower Jasmine",
        kind: Kind::Green,
        price: Cents(16_00),
        size: "80 g tin",
        origin: "Fujian, China",
        blurb: "Spring green tea, scented seven nights in a row with fresh jasmine blossom.",
        about: "Blossoms are gathered at noon while they are still shut, and open in the evening between the \
                leaves. Next morning they are sifted out, and the night begins again.",
        facts: [("Water", "176 °F"), ("Steep", "2 minutes"), ("Leaf", "1 tsp a cup")],
        caffeine: Caffeine::Some,
        rating: "4.6",
        image: "jasmine.jpg",
    },
    Product {
        slug: "first-light-darjeeling",
        name: "First Light Darjeeling",
        kind: Kind::Black,
        price: Cents(18_75),
        size: "100 g tin",
        origin: "Darjeeling, India",
        blurb: "Bright and floral, with a whisper of muscat. The cup we open the shop with.",
        about: "A spring lot from two small gardens above the Teesta valley, at 6,200 feet. Only four chests a \
                year come to us, and we ask you to leave some for your neighbors.",
        facts: [("Water", "194 °F"), ("Steep", "3 minutes"), ("Leaf", "1 tsp a cup")],
        caffeine: Caffeine::Some,
        rating: "4.9",
        image: "darjeeling.jpg",
    },
    Product {
        slug: "harbor-smoke-lapsang",
        name: "Harbor Smoke Lapsang",
        kind: Kind::Black,
        price: Cents(15_25),
        size: "100 g tin",
        origin: "Wuyi, China",
        blurb: "Dried over pine embers: campfire, dark honey and leather. Good in stews, too.",
        about: "The leaves wither in a three-story smokehouse, over embers that never flame. For rain on the \
                window, long letters, and everybody who thinks that tea is too polite.",
        facts: [("Water", "205 °F"), ("Steep", "4 minutes"), ("Leaf", "1 tsp a cup")],
        caffeine: Caffeine::Some,
        rating: "4.4",
        image: "lapsang.jpg",
    },
    Product {
        slug: "orchard-rooibos",
        name: "Orchard Rooibos",
        kind: Kind::Herbal,
        price: Cents(11_50),
        size: "120 g tin",
        origin: "Cederberg, South Africa",
        blurb: "Red bush with Maine apple, cinnamon bark and a little orange peel.",
        about: "We dry the apples ourselves, on racks above the roaster. No caffeine and no bitterness, however \
                long you forget the pot.",
        facts: [("Water", "212 °F"), ("Steep", "6 minutes"), ("Leaf", "2 tsp a cup")],
        caffeine: Caffeine::Free,
        rating: "4.5",
        image: "rooibos.svg",
    },
    Product {
        slug: "garden-peppermint",
        name: "Garden Peppermint",
        kind: Kind::Herbal,
        price: Cents(9_75),
        size: "60 g tin",
        origin: "Aroostook, Maine",
        blurb: "Whole leaves with fennel seed, grown forty minutes from our door.",
        about: "Cut twice a summer by the Beaulieu family, and dried in the dark so that it stays green. After \
                dinner, after travel, after everything.",
        facts: [("Water", "212 °F"), ("Steep", "5 minutes"), ("Leaf", "2 tsp a cup")],
        caffeine: Caffeine::Free,
        rating: "4.7",
        image: "peppermint.png",
    },
    Product {
        slug: "cedar-teapot",
        name: "Cedar Teapot",
        kind: Kind::Teaware,
        price: Cents(64_00),
        size: "24 fl oz",
        origin: "Thrown in Belfast, Maine",
        blurb: "Stoneware with a cedar-ash glaze and a spout that does not drip. We have checked.",
        about: "Made by Ines Oakes, two dozen a month. The glaze carries ash from the cedar boards that our tea \
                chests arrive in, so that every pot differs a little.",
        facts: [("Holds", "4 cups"), ("Care", "Dishwasher safe"), ("Weight", "1.9 lb")],
        caffeine: Caffeine::Free,
        rating: "4.9",
        image: "teapot.jpg",
    },
    Product {
        slug: "tide-cups",
        name: "Tide Cups, a pair",
        kind: Kind::Teaware,
        price: Cents(38_00),
        size: "6 fl oz each",
        origin: "Thrown in Belfast, Maine",
        blurb: "Two cups that fit the hand, glazed to the waterline of a winter tide.",
        about: "No handles: when the cup is too hot to hold, the tea is too hot to drink. They stack, and they \
                forgive being dropped on wood.",
        facts: [("Holds", "6 fl oz"), ("Care", "Dishwasher safe"), ("Weight", "0.8 lb")],
        caffeine: Caffeine::Free,
        rating: "4.3",
        image: "cups.svg",
    },
    Product {
        slug: "travel-tin",
        name: "Travel Tin",
        kind: Kind::Teaware,
        price: Cents(12_00),
        size: "Holds 40 g",
        origin: "Soldered in Portland, Maine",
        blurb: "A double-lidded tin for a coat pocket: ten cups of tea, wherever you end up.",
        about: "Tinplate inside and out, with an inner lid that keeps the damp out. Comes filled with whatever \
                we are drinking this week.",
        facts: [("Holds", "40 g"), ("Care", "Wipe dry"), ("Weight", "3 oz")],
        caffeine: Caffeine::Free,
        rating: "4.6",
        image: "tin.png",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_one_product_each() {
        for product in &PRODUCTS {
            assert!(std::ptr::eq(find(product.slug).unwrap(), product));
            assert_eq!(Kind::from_slug(product.kind.slug()), Some(product.kind));
        }
        assert!(find("").is_none());
    }
}
