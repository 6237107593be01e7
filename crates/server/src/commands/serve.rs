//! Serving: everything is wired here, once, and taken apart again when a signal says so.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use adapter_http::{Api, REQUEST_SECONDS, REQUEST_SECONDS_BUCKETS, Settings};
use anyhow::{Context, bail};
use app::{App, agree_on_keys};
use domain::ports::IdGenerator;
use domain::seal::ServerKeys;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use crate::config::{DEFAULT_URL, Scheduler, ServeConfig, variables};
use crate::console::say;
use crate::environment::SystemIds;
use crate::port::Port;
use crate::signals::{Signals, second_signal};
use crate::storage::{Location, Storage};
use crate::{demo, logging};

/// How long requests in flight may take to finish after a signal; beyond it the process ends all the same.
const DRAIN: Duration = Duration::from_secs(28);

/// How often what histograms were told is put together.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn run(config: &ServeConfig) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    config.check()?;
    let token_keys = config.token_keys()?;
    let _log = logging::start(config.log_format)?;
    variables::warn_of_unknown();
    // Before the database is touched: who cannot listen should leave no file behind.
    let port = Port::take(config.listen)?;
    let prometheus = start_metrics()?;

    let location = Location::parse(config.database_url.as_deref().unwrap_or(DEFAULT_URL))?;
    let Some(opened) = signals.unless_told(open(config, &location, token_keys)).await else {
        return Ok(ExitCode::SUCCESS);
    };
    let (storage, app) = opened?;
    let demo = config.wants_demo() && demo::load(&app).await?;
    let (admin_key, made) = admin_key(config);

    let settings = Settings { admin_key, user_key: config.user_key.clone(), cors_origins: config.cors_origin.clone() };
    let address = port.address;
    // From now on requests are answered, and no sooner is one let in.
    let server = adapter_http::serve(port.listen()?, Api::new(Arc::clone(&app), &settings, prometheus))
        .context("could not start the HTTP server")?;
    let handle = server.handle();
    let mut serving = tokio::spawn(server);
    let (stop, stopped) = watch::channel(false);
    let mut clockwork = tokio::spawn(run_without_being_asked(Arc::clone(&app), config.scheduler, stopped));
    storage.tell_of_concerns();
    greet(address, &location.absolute()?, config, demo, made.as_deref());

    let lost = until_told(&mut signals, &mut serving, &mut clockwork, storage.lost()).await?;
    if let Some(lost) = &lost {
        error!("{lost}: nothing that is written from now on would be found again. Ending");
    } else {
        info!("stopping: finishing what is in flight");
    }
    let drained = tokio::time::timeout(DRAIN, async {
        handle.stop(true).await;
        stop.send_replace(true);
        clockwork.await.context("the clockwork failed")?;
        serving.await.context("the HTTP server failed")?.context("the HTTP server failed")
    });
    tokio::select! {
        drained = drained => match drained {
            Ok(outcome) => outcome?,
            Err(_elapsed) => warn!("some requests did not finish in {} s and were cut off", DRAIN.as_secs()),
        },
        again = second_signal() => {
            again?;
            warn!("told to stop twice: not waiting for what is in flight");
        }
    }
    storage.shutdown().await;
    info!("stopped");
    Ok(if lost.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The storage, and the use cases over it, which know its lines.
async fn open(
    config: &ServeConfig,
    location: &Location,
    token_keys: Option<ServerKeys>,
) -> anyhow::Result<(Storage, Arc<App>)> {
    let rules = config.rules.rules();
    let storage = Storage::open(location, config.migrate, rules.clone(), config.patience.patience()).await?;
    let keys = agree_on_keys(storage.keys(), &SystemIds, token_keys)
        .await
        .context("could not agree with the database on --token-key")?;
    let app = Arc::new(App::new(storage.ports(), rules, config.rules.wallet_gate(), keys));
    app.refresh().await.context("could not read the queues")?;
    Ok((storage, app))
}

/// What happens without anybody asking, until it is stopped.
async fn run_without_being_asked(app: Arc<App>, scheduler: Scheduler, stopped: watch::Receiver<bool>) {
    let clockwork = async {
        if scheduler == Scheduler::Embedded {
            adapter_scheduler::run(Arc::clone(&app), stopped.clone()).await;
        }
    };
    let following = adapter_scheduler::follow(Arc::clone(&app), stopped.clone());
    let stock = adapter_scheduler::take_stock(Arc::clone(&app), stopped.clone());
    let watching = adapter_scheduler::watch(Arc::clone(&app), stopped.clone());
    let listening = adapter_scheduler::listen(Arc::clone(&app), stopped.clone());
    tokio::join!(clockwork, following, stock, watching, listening);
    adapter_scheduler::say_goodbye(&app).await;
}

/// Metrics, with their upkeep: what histograms were told gathers in memory until somebody puts it together.
fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    let prometheus = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(REQUEST_SECONDS.to_owned()), REQUEST_SECONDS_BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .context("could not start metrics")?;
    let kept = prometheus.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(METRICS_UPKEEP).await;
            kept.run_upkeep();
        }
    });
    Ok(prometheus)
}

/// The admin key, and the one that was made for a demo that has none.
fn admin_key(config: &ServeConfig) -> (Option<String>, Option<String>) {
    let wanted = config.admin_key.is_none() && config.wants_demo();
    let made = wanted.then(|| format!("demo-{:032x}", u128::from_be_bytes(SystemIds.random())));
    (config.admin_key.clone().or_else(|| made.clone()), made)
}

/// Says where everything is, on stdout, once the server answers. Whether anybody can read it is no matter of the sale.
fn greet(address: SocketAddr, location: &Location, config: &ServeConfig, demo: bool, made_key: Option<&str>) {
    say(&format!("Usher {} is listening on http://{address}", env!("CARGO_PKG_VERSION")));
    say(&format!("  API        http://{address}/api/v1"));
    say(&format!("  docs       http://{address}/docs"));
    say(&format!("  database   {location}"));
    if demo {
        say(&format!("  demo       a concert with {} evenings of 50 seats was loaded", demo::EVENINGS));
    }
    say(&match (made_key, &config.admin_key) {
        (Some(key), _) => {
            format!("  admin key  {key} (made for this run; to keep one, set USHER_ADMIN_KEY and say --demo)")
        }
        (None, Some(_)) => "  admin key  set".to_owned(),
        (None, None) => "  admin key  none: the admin API answers 401 to everybody; set USHER_ADMIN_KEY".to_owned(),
    });
    say(match &config.user_key {
        Some(_) => "  identity   proved: to join, users need a JWT that the shop signed with the user key",
        None => "  identity   open: any caller may name any user; set --user-key to ask for proof",
    });
    if config.scheduler == Scheduler::Off {
        say("  clockwork  off: another process has to admit those who wait, and to end what is over");
    }
}

/// Waits until a signal says to stop, or until the storage is lost, and tells how it was. A server that has lost one of its parts
/// is none: it says so and ends, so that a supervisor can start another (trap P2).
async fn until_told(
    signals: &mut Signals,
    serving: &mut JoinHandle<std::io::Result<()>>,
    clockwork: &mut JoinHandle<()>,
    lost: impl Future<Output = String>,
) -> anyhow::Result<Option<String>> {
    tokio::select! {
        () = signals.next() => Ok(None),
        lost = lost => Ok(Some(lost)),
        ended = serving => {
            ended.context("the HTTP server failed")?.context("the HTTP server failed")?;
            bail!("the HTTP server ended by itself")
        }
        ended = clockwork => {
            ended.context("the clockwork failed")?;
            bail!("the clockwork ended by itself")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn a_part_that_is_lost_ends_the_server_p2() {
        let mut signals = Signals::listen().unwrap();
        let (mut serving, mut clockwork) = (tokio::spawn(async { Ok(()) }), tokio::spawn(pending()));
        let told = until_told(&mut signals, &mut serving, &mut clockwork, pending()).await;
        assert_eq!(told.unwrap_err().to_string(), "the HTTP server ended by itself");
        let mut clockwork = tokio::spawn(async { panic!("as a bug in a rule would") });
        let told = until_told(&mut signals, &mut tokio::spawn(pending()), &mut clockwork, pending()).await;
        assert_eq!(told.unwrap_err().to_string(), "the clockwork failed");
        let (mut serving, mut clockwork) = (tokio::spawn(pending()), tokio::spawn(pending()));
        let told = until_told(&mut signals, &mut serving, &mut clockwork, async { "gone".to_owned() }).await;
        assert_eq!(told.unwrap().as_deref(), Some("gone"));
    }
}
