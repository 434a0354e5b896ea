//! How many connections each address holds, so that no one can take the room of all.
//!
//! Proxies that the settings trust stand for many browsers and are not counted. Of IPv6 the network of 64 bits
//! counts, which is what one customer of a provider has.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// The connections of a listener.
#[derive(Debug, Clone, Default)]
pub(super) struct Guests(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of an address, until it is dropped.
#[derive(Debug)]
pub(super) struct Guest {
    all: Guests,
    address: IpAddr,
}

impl Guests {
    /// Lets one more connection of an address in, unless it has `limit` already.
    pub(super) fn admit(&self, address: IpAddr, limit: usize) -> Option<Guest> {
        let address = network(address);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.get(&address).copied().unwrap_or_default();
        if count >= limit {
            return None;
        }
        all.insert(address, count + 1);
        Some(Guest { all: self.clone(), address })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                all.remove(&self.address);
            }
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        short => short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_room() {
        let guests = Guests::default();
        let admit = |address: &str| guests.admit(address.parse().unwrap(), 2);
        let first = (admit("192.0.2.1"), admit("::ffff:192.0.2.1"));
        assert!(first.0.is_some() && first.1.is_some());
        assert!(admit("192.0.2.1").is_none());
        let _neighbours = (admit("2001:db8::1").unwrap(), admit("2001:db8::2").unwrap());
        assert!(admit("2001:db8::3").is_none() && admit("2001:db8:0:1::3").is_some());
        drop(first);
        assert!(admit("192.0.2.1").is_some());
        assert!(guests.0.lock().unwrap().keys().all(|address| address.is_ipv6()), "nobody is remembered");
    }
}
