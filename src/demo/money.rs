//! Amounts of money, exact: whole cents, shown as people write them.

use std::fmt;
use std::iter::Sum;

use serde::Serialize;

/// An amount in US cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub(super) struct Cents(pub(super) u32);

impl Cents {
    pub(super) fn times(self, quantity: u32) -> Cents {
        Cents(self.0.saturating_mul(quantity))
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dollars, cents) = (self.0 / 100, self.0 % 100);
        match dollars / 1000 {
            0 => write!(f, "${dollars}.{cents:02}"),
            thousands => write!(f, "${thousands},{:03}.{cents:02}", dollars % 1000),
        }
    }
}

impl From<Cents> for String {
    fn from(amount: Cents) -> String {
        amount.to_string()
    }
}

impl Sum for Cents {
    fn sum<I: Iterator<Item = Cents>>(amounts: I) -> Cents {
        amounts.fold(Cents(0), |sum, amount| Cents(sum.0.saturating_add(amount.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::Cents;

    #[test]
    fn amounts_read_as_people_write_them() {
        let shown: Vec<String> = [0, 5, 1450, 128_407].map(|cents| Cents(cents).to_string()).into();
        assert_eq!(shown, ["$0.00", "$0.05", "$14.50", "$1,284.07"]);
    }

    #[test]
    fn sums_stop_at_the_largest_amount() {
        assert_eq!([Cents(u32::MAX), Cents(2)].into_iter().sum::<Cents>(), Cents(u32::MAX));
        assert_eq!(Cents(u32::MAX).times(2), Cents(u32::MAX));
    }
}
