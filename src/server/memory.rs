//! Has the allocator give memory back to the system.

use std::hint::black_box;
use std::time::Duration;

/// How often.
const EVERY: Duration = Duration::from_secs(1);
/// So much is an allocation of its own, in bytes. It is never touched, so it takes no memory.
const LARGE: usize = 1 << 20;

/// mimalloc keeps for a second what is freed, and looks for what it has kept for longer only when something of this size is
/// freed: after many connections went to rest at once, that may be never.
pub(super) async fn give_back() {
    loop {
        tokio::time::sleep(EVERY).await;
        drop(black_box(Vec::<u8>::with_capacity(LARGE)));
    }
}
