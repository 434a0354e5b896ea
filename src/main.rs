//! The `tandem` command; what it does is in [`tandem::cli`].

fn main() -> std::process::ExitCode {
    tandem::cli::run()
}
