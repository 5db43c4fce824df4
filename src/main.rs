//! The program: see [`pointgate::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    pointgate::cli::run()
}
