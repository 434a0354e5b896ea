//! The `tandem` command; what it does is in [`tandem::cli`].

/// Every request allocates some dozens of small things: half of what the system's allocator takes for them is
/// saved.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    tandem::cli::run()
}
