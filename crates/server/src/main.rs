//! `usher`: see the library.

use std::process::ExitCode;

/// Many small values are made and dropped on several threads at once; the system's allocator is measurably slower at it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    server::usher()
}
