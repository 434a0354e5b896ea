//! The `tandem` command: hands the arguments to [`tandem::cli`] and turns its answer into an exit code.
fn main() {}
