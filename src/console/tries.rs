//! Slows guessing down: counts wrong tries for a key (a name, an address, an agent) and asks for patience.
//!
//! Only wrong tries count, so that a whole contact centre can log in from one address in the morning. After
//! some wrong ones, one more is earned every few seconds.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What is forgiven.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Wrong tries in a row before the first wait.
    free: u32,
    /// How long it takes to earn another one.
    earned: Duration,
}

impl Patience {
    /// With one person.
    pub(super) const PERSON: Patience = Patience { free: 10, earned: Duration::from_secs(6) };
    /// With all who come from one address, and mistype.
    pub(super) const CROWD: Patience = Patience { free: 60, earned: Duration::from_secs(1) };
}

/// Keys that are remembered at one time. When there are more, those with the fewest wrong tries are forgotten.
const REMEMBERED: usize = 100_000;

/// Wrong tries by key.
#[derive(Debug)]
pub(super) struct Tries<K> {
    patience: Patience,
    /// When all wrong tries of a key will be forgiven: each pushes it further away.
    forgiven: Mutex<HashMap<K, Instant>>,
}

impl<K: Hash + Eq> Tries<K> {
    pub(super) fn new(patience: Patience) -> Self {
        Tries { patience, forgiven: Mutex::default() }
    }

    /// Whether `key` may try, or how many seconds it has to wait.
    pub(super) fn allow<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Result<(), u32>
    where
        K: Borrow<Q>,
    {
        let Some(forgiven) = self.lock().get(key).copied() else { return Ok(()) };
        let debt = forgiven.saturating_duration_since(Instant::now());
        match debt.checked_sub(self.patience.earned * (self.patience.free - 1)) {
            Some(wait) if !wait.is_zero() => {
                Err(u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX))
            }
            _ => Ok(()),
        }
    }

    /// `key` tried and was wrong.
    pub(super) fn wrong(&self, key: K) {
        let now = Instant::now();
        let mut all = self.lock();
        if all.len() >= REMEMBERED {
            all.retain(|_, forgiven| *forgiven > now);
        }
        if all.len() >= REMEMBERED {
            all.retain(|_, forgiven| *forgiven > now + self.patience.earned);
        }
        let forgiven = all.entry(key).or_insert(now);
        *forgiven = (*forgiven).max(now) + self.patience.earned;
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Instant>> {
        // Every change under the lock is one call that completes.
        self.forgiven.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ten_wrong_tries_then_one_in_six_seconds() {
        let tries = Tries::<String>::new(Patience::PERSON);
        for _ in 0..10 {
            assert_eq!(tries.allow("ann"), Ok(()));
            tries.wrong("ann".into());
        }
        assert_eq!(tries.allow("ann"), Err(6));
        assert_eq!(tries.allow("ben"), Ok(()));
        tokio::time::advance(Duration::from_millis(5_500)).await;
        assert_eq!(tries.allow("ann"), Err(1));
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(tries.allow("ann"), Ok(()));
        tries.wrong("ann".into());
        assert_eq!(tries.allow("ann"), Err(6));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(tries.allow("ann"), Ok(()));
    }
}
