//! Whether a rehearsal can be played at all: found out before anything is loaded, and before an hour has passed.

use std::fs::OpenOptions;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use reqwest::{StatusCode, Url};
use serde_json::json;

use crate::answers::Problem;
use crate::identity::Identity;
use crate::options::Options;

/// The queue that always exists, and that people buy through.
const MAIN: &str = "main";

/// What the servers are called, each without a slash at its end.
pub(crate) fn servers(urls: &[String]) -> anyhow::Result<Vec<String>> {
    urls.iter().map(|url| server(url)).collect()
}

fn server(text: &str) -> anyhow::Result<String> {
    let bare = text.trim().trim_end_matches('/');
    // From here on no password is repeated, as there is none.
    ensure!(!bare.contains('@'), "--url: a server is written http://ADDRESS:PORT, without a user or a password");
    if !bare.contains("://") {
        bail!("--url: a server is written with its scheme, for example http://{bare}");
    }
    let url = Url::parse(bare).context("--url is no URL")?;
    match url.scheme() {
        "http" => {}
        "https" => {
            bail!("--url: TLS is not spoken here; name the servers themselves, behind what speaks it, by http://")
        }
        other => bail!("--url: {other} is not spoken here; a server is written http://ADDRESS:PORT"),
    }
    ensure!(
        url.path() == "/" && url.query().is_none() && url.fragment().is_none(),
        "--url: a server's address is meant, with nothing after it: http://{}",
        bare.trim_start_matches("http://").split(['/', '?', '#']).next().unwrap_or_default()
    );
    Ok(bare.to_owned())
}

/// What is asked for must not touch the sale that people buy through, unless that is meant.
pub(crate) fn check_queue(options: &Options) -> anyhow::Result<()> {
    ensure!(
        options.queue.as_deref() != Some(MAIN) || options.play_on_main,
        "--queue {MAIN} is the queue that people buy through; say --play-on-main if that is meant, on a database that can be thrown away"
    );
    Ok(())
}

/// The reports can be written where they are wanted.
pub(crate) fn check_reports(options: &Options) -> anyhow::Result<()> {
    for file in [&options.json, &options.html].into_iter().flatten() {
        let opened = OpenOptions::new().create(true).append(true).open(file);
        opened.with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(())
}

/// Every server answers, and lets in whom the user key vouches for. `name` is one that no queue and nobody has.
pub(crate) async fn check_servers(servers: &[String], identity: Option<&Identity>, name: &str) -> anyhow::Result<()> {
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build()?;
    for server in servers {
        // Who may join is looked at before there turns out to be no such queue, so that nobody takes a place.
        let mut join = http
            .post(format!("{server}/api/v1/queue/tokens"))
            .json(&json!({"user_id": name, "queue": "no-such-queue-of-a-rehearsal"}));
        if let Some(identity) = identity {
            join = join.bearer_auth(identity.vouch(name).context("the user key cannot sign")?);
        }
        let answer = join.send().await.with_context(|| format!("{server} does not answer"))?;
        let status = answer.status();
        let code = answer.json::<Problem>().await.map(|problem| problem.code).unwrap_or_default();
        match (status, &*code, identity) {
            (StatusCode::NOT_FOUND, "not_found", _) => {}
            (_, "identity_invalid", None) => {
                bail!("{server} has a user key, by which its users prove who they are; set USHER_USER_KEY to the same")
            }
            (_, "identity_invalid", Some(_)) => {
                bail!("{server} does not take the user key; give it the one that the server was started with")
            }
            _ => bail!("{server} is no Usher: it answers {status} where Usher says that there is no such queue"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_its_address_and_nothing_else() {
        for url in ["http://127.0.0.1:8080", "http://127.0.0.1:8080/", "http://[::1]:80", "http://usher.example"] {
            assert_eq!(server(url).unwrap(), url.trim_end_matches('/'));
        }
        for (url, told) in [
            ("127.0.0.1:8080", "for example http://127.0.0.1:8080"),
            ("https://shop.example", "TLS is not spoken here"),
            ("ftp://shop.example", "ftp is not spoken here"),
            ("http://127.0.0.1:8080/api/v1", "with nothing after it: http://127.0.0.1:8080"),
            ("http://127.0.0.1:8080?x=1", "with nothing after it: http://127.0.0.1:8080"),
            ("http://127.0.0.1:port", "is no URL"),
            ("http://usher:secret@127.0.0.1", "without a user or a password"),
            ("http://usher:secret/", "is no URL"),
            ("http://127.0.0.1:8080?key=secret", "with nothing after it: http://127.0.0.1:8080"),
        ] {
            let line = format!("{:#}", server(url).unwrap_err());
            assert!(
                line.contains(told) && line.starts_with("--url") && !line.contains("secret") && !line.contains('\n'),
                "{url}: {line}"
            );
        }
    }
}
