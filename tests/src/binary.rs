//! The programs that are tested: built once per test run, beside the tests themselves.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where `usher` is.
pub(crate) fn usher() -> PathBuf {
    built().join("usher")
}

/// Where `usher-scheduler` is.
pub(crate) fn scheduler() -> PathBuf {
    built().join("usher-scheduler")
}

/// Where `usher-rehearsal` is.
pub(crate) fn rehearsal() -> PathBuf {
    built().join("usher-rehearsal")
}

/// The directory with the programs. The first caller builds them, so that no test ever runs an old one.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build)
}

fn build() -> PathBuf {
    // What runs is `<target>/<profile>/deps/e2e-<hash>`, or `<target>/<profile>/examples/rehearse`.
    let test = std::env::current_exe().expect("a test has a path");
    let directory = test.ancestors().nth(2).expect("tests run from a target directory");
    let profile = match directory.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        Some(other) => other,
        None => panic!("{} is no target directory", test.display()),
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        // As `tests/run` builds them, so that nothing is left to do. Examples have the features that tests have; without one, cargo
        // would build half of all crates again, with other features.
        .args(["build", "--quiet", "--workspace", "--bins", "--examples", "--profile", profile, "--target-dir"])
        .arg(directory.parent().expect("a profile is below a target directory"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(
        built.status.success(),
        "usher does not build; run `tests/run`:\n{}",
        String::from_utf8_lossy(&built.stderr)
    );
    directory.to_owned()
}
