//! Which storage a database URL names, and what can be done with it without serving.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};

use crate::audit;
use crate::config::DatabaseConfig;

/// The database that is used when none is named.
pub(crate) const DEFAULT_URL: &str = "sqlite://usher.db";

/// The file that a `sqlite://` URL names.
pub(crate) fn sqlite_path(url: &str) -> anyhow::Result<PathBuf> {
    let Some(path) = url.strip_prefix("sqlite://") else {
        // The URL may carry a password: only its scheme is told.
        let scheme = url.split_once("://").map_or("none", |(scheme, _)| scheme);
        bail!("the database URL must start with sqlite:// (its scheme is {scheme:?}), for example {DEFAULT_URL}");
    };
    if path.is_empty() || path == "/" {
        bail!("the database URL names no file; for example {DEFAULT_URL}");
    }
    Ok(PathBuf::from(path))
}

/// `usher migrate`: brings the tables up to date.
pub(crate) fn migrate(config: &DatabaseConfig) -> anyhow::Result<()> {
    let path = sqlite_path(&config.database_url)?;
    let applied = adapter_sqlite::migrate(&path)?;
    let mut out = std::io::stdout();
    for name in &applied {
        writeln!(out, "applied {name}")?;
    }
    writeln!(out, "{} is up to date", path.display())?;
    Ok(())
}

/// `usher audit`: one line per violation, and an exit code that says whether there was any.
pub(crate) fn audit(config: &DatabaseConfig) -> anyhow::Result<ExitCode> {
    let path = sqlite_path(&config.database_url)?;
    let report = audit::run(&path).with_context(|| format!("could not audit {}", path.display()))?;
    let mut out = std::io::stdout();
    write!(out, "{report}")?;
    Ok(if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_file() {
        for (url, path) in [
            ("sqlite://usher.db", "usher.db"),
            ("sqlite:///var/usher.db", "/var/usher.db"),
            ("sqlite://a/b c.db", "a/b c.db"),
        ] {
            assert_eq!(sqlite_path(url).unwrap(), PathBuf::from(path));
        }
        for bad in ["", "usher.db", "sqlite://", "sqlite:///", "mysql://secret@host/x"] {
            let error = sqlite_path(bad).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
