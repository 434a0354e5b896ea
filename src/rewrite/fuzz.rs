//! How many random cases the tests try, and from which seed.
//!
//! Each run takes another seed and prints it when a test fails. `TANDEM_SEED` takes one again; `TANDEM_FUZZ=100` tries
//! a hundred times as many cases.

use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;

/// For a test that tries this many cases on every change.
pub(crate) fn cases(short: u32) -> ProptestConfig {
    let set = |name| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seed = set("TANDEM_SEED").unwrap_or_else(rand::random);
    let times = u32::try_from(set("TANDEM_FUZZ").unwrap_or(1)).unwrap_or(u32::MAX);
    println!("TANDEM_SEED={seed} is this test's seed");
    ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        max_global_rejects: u32::MAX,
        ..ProptestConfig::with_cases(short.saturating_mul(times))
    }
}
