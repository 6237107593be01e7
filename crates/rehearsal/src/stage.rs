//! What a rehearsal needs before people come: a concert of its own, in a queue with the policy that was asked for.

use anyhow::{Context, bail, ensure};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::answers::Moment;
use crate::options::Options;

/// Prices of seats, in points, from the front to the back: four of them can be paid with one charge.
const PRICES: [u64; 4] = [150_000, 120_000, 99_000, 77_000];

/// What people find.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// The queue to join.
    pub(crate) queue: String,
    /// What users' names begin with; nobody has had such a name before.
    pub(crate) users: String,
    /// How many seats there are.
    pub(crate) seats: u64,
    /// When the queue opens, if it does so at a time (R19).
    pub(crate) opens_at: Option<Moment>,
}

#[derive(Deserialize)]
struct Opened {
    opens_at: Option<Moment>,
}

#[derive(Deserialize)]
struct Loaded {
    queue: String,
    schedules: Vec<LoadedSchedule>,
}

#[derive(Deserialize)]
struct LoadedSchedule {
    seats_total: u64,
}

/// Sets the stage. `now` names what is new.
pub(crate) async fn set(options: &Options, servers: &[String], now: OffsetDateTime) -> anyhow::Result<Stage> {
    let name = new_name(now);
    let queue = options.queue.clone().unwrap_or_else(|| name.clone());
    let server = servers.first().map_or("", String::as_str);
    let opened = open(options, server, &queue, now).await?;
    let opened = Opened::deserialize(&opened).context("the server told nothing of the queue")?;
    let loaded = ask(Method::POST, server, "/admin/concerts", options, &concert(options, &queue, now)?).await?;
    let loaded: Loaded = serde_json::from_value(loaded).context("the server told of no concert")?;
    let seats = loaded.schedules.iter().map(|schedule| schedule.seats_total).sum();
    ensure!(seats == options.seats, "the concert was loaded with {seats} seats");
    Ok(Stage { queue: loaded.queue, users: name, seats, opens_at: opened.opens_at })
}

/// What is new here is called so: a queue, and what its users are called. Two rehearsals may begin in the same millisecond.
pub(crate) fn new_name(now: OffsetDateTime) -> String {
    format!("rehearsal-{}-{}", now.unix_timestamp_nanos() / 1_000_000, std::process::id())
}

/// Makes the queue, or changes it if it is there, so that it admits as was asked for; or as it does already. What it is then.
async fn open(options: &Options, server: &str, queue: &str, now: OffsetDateTime) -> anyhow::Result<Value> {
    let path = format!("/admin/queues/{queue}");
    let (status, text) = answer(Method::GET, server, &path, options, &Value::Null).await?;
    let mut wanted = if options.keep_policy { Map::new() } else { policy(options, now)? };
    if status == StatusCode::NOT_FOUND {
        wanted.insert("name".to_owned(), queue.into());
        ask(Method::POST, server, "/admin/queues", options, &wanted.into()).await
    } else if options.keep_policy {
        ensure!(status.is_success(), "{server}{path} answers {status}: {text}");
        serde_json::from_str(&text).context("the server's answer is no JSON")
    } else {
        ask(Method::PATCH, server, &path, options, &wanted.into()).await
    }
}

/// The policy that was asked for.
fn policy(options: &Options, now: OffsetDateTime) -> anyhow::Result<Map<String, Value>> {
    let opens_at = match options.opens_in {
        Some(seconds) => Some((now + Duration::seconds(seconds.into())).replace_nanosecond(0)?.format(&Rfc3339)?),
        None => None,
    };
    Ok(Map::from_iter([
        ("max_active".to_owned(), options.max_active.into()),
        ("batch".to_owned(), options.admit_batch.into()),
        ("interval_seconds".to_owned(), options.admit_interval_seconds.into()),
        ("paused".to_owned(), false.into()),
        ("opens_at".to_owned(), opens_at.into()),
    ]))
}

/// A concert on as many dates as were asked for, its seats spread evenly, four prices a date.
fn concert(options: &Options, queue: &str, now: OffsetDateTime) -> anyhow::Result<Value> {
    let dates = options.dates();
    let mut schedules = Vec::new();
    for date in 0..dates {
        let seats = options.seats / dates + u64::from(date < options.seats % dates);
        let starts_at = now + Duration::days(30 + i64::try_from(date)?);
        let rows: Vec<_> = (0..4)
            .zip(PRICES)
            .map(|(row, price)| (seats / 4 + u64::from(row < seats % 4), price))
            .filter(|(count, _)| *count > 0)
            .map(|(count, price)| json!({"count": count, "price": price}))
            .collect();
        schedules.push(json!({"starts_at": starts_at.replace_nanosecond(0)?.format(&Rfc3339)?, "seats": rows}));
    }
    Ok(json!({"title": "Rehearsal", "queue": queue, "schedules": schedules}))
}

/// Asks as the operator, and is not refused.
async fn ask(method: Method, server: &str, path: &str, options: &Options, body: &Value) -> anyhow::Result<Value> {
    let (status, text) = answer(method, server, path, options, body).await?;
    ensure!(status.is_success(), "{server}{path} answers {status}: {text}");
    serde_json::from_str(&text).context("the server's answer is no JSON")
}

/// What the operator is answered.
async fn answer(
    method: Method,
    server: &str,
    path: &str,
    options: &Options,
    body: &Value,
) -> anyhow::Result<(StatusCode, String)> {
    let http = reqwest::Client::builder().no_proxy().timeout(std::time::Duration::from_secs(60)).build()?;
    let mut request = http.request(method, format!("{server}/api/v1{path}")).bearer_auth(&options.admin_key);
    if !body.is_null() {
        request = request.json(body);
    }
    let answer = request.send().await.with_context(|| format!("{server} does not answer"))?;
    let status = answer.status();
    let text = answer.text().await.with_context(|| format!("{server} does not answer"))?;
    if status == StatusCode::UNAUTHORIZED {
        bail!("{server} does not take the admin key; give it the one that the server was started with");
    }
    Ok((status, text))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn a_concert_has_all_its_seats() {
        for (seats, dates) in [(1, 1), (7, 3), (10_000, 10)] {
            let (seats, dates) = (u64::to_string(&seats), u64::to_string(&dates));
            let arguments = ["", "--url", "u", "--admin-key", "k", "--seats", &seats, "--schedules", &dates];
            let options = Options::try_parse_from(arguments).unwrap();
            let concert = concert(&options, "q", OffsetDateTime::UNIX_EPOCH).unwrap();
            let schedules = concert["schedules"].as_array().unwrap();
            let rows = schedules.iter().flat_map(|schedule| schedule["seats"].as_array().unwrap());
            let sum: u64 = rows.map(|row| row["count"].as_u64().unwrap()).sum();
            assert_eq!((schedules.len().to_string(), sum.to_string()), (dates, seats));
        }
    }
}
