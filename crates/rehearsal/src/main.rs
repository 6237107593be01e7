//! `usher-rehearsal`: plays a whole on-sale against a running Usher, and proves that nothing went wrong.

mod report;

fn main() {}
