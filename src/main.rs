//! The program: see [`pointgate::cli`].

use std::process::ExitCode;

/// The system's allocator costs a fifth of the writes' speed.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    pointgate::cli::run()
}
