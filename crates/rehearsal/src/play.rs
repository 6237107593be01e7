//! Playing: people come when they come, until it is over; and the report of it.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::person::Person;
use crate::progress::Progress;
use crate::rehearsal::Rehearsal;
use crate::report::{Ending, Report, Sale, Setup};

/// How often it is looked whether it is over, and what is shown of it renewed.
const LOOK: Duration = Duration::from_millis(250);

/// Plays everybody, and tells what came of it. `interrupted` ends it early.
pub(crate) async fn play(
    rehearsal: Arc<Rehearsal>,
    began: OffsetDateTime,
    interrupted: impl Future<Output = ()>,
) -> anyhow::Result<Report> {
    let progress = Progress::new(&rehearsal.options);
    let people = people_come(Arc::clone(&rehearsal));
    let ending = tokio::select! {
        () = people => Ending::EverybodyDone,
        ending = is_over(&rehearsal, &progress) => ending,
        () = interrupted => Ending::Interrupted,
    };
    progress.end();
    report(&rehearsal, began, ending)
}

/// Lets everybody come and go. When it is dropped, those who are still there stay where they are.
async fn people_come(rehearsal: Arc<Rehearsal>) {
    let options = &rehearsal.options;
    let start = Instant::now();
    let mut people = JoinSet::new();
    for (at, number) in options.pattern.arrivals(options.people, options.arrive_seconds, options.seed) {
        let due = start + Duration::from_secs_f64(at);
        tokio::time::sleep_until(due).await;
        people.spawn(Person::new(Arc::clone(&rehearsal), number, due).visit());
        while people.try_join_next().is_some() {}
    }
    while people.join_next().await.is_some() {}
}

/// Waits until it is over though some people are still there.
async fn is_over(rehearsal: &Rehearsal, progress: &Progress) -> Ending {
    let options = &rehearsal.options;
    loop {
        tokio::time::sleep(LOOK).await;
        progress.show(rehearsal);
        if options.until_sold_out && rehearsal.recorder.counts().sold_out() {
            return Ending::SoldOut;
        }
        if rehearsal.recorder.seconds() >= options.time_limit_seconds {
            return Ending::TimeLimit;
        }
    }
}

fn report(rehearsal: &Rehearsal, began: OffsetDateTime, ending: Ending) -> anyhow::Result<Report> {
    let seconds = rehearsal.recorder.seconds();
    let (fairness, overtaken) = rehearsal.referee.turns().judge();
    for breach in overtaken {
        rehearsal.referee.note_text(breach, seconds, || "compared when all was over".to_owned());
    }
    let (found, span) = (rehearsal.referee.found(), rehearsal.referee.turns().span());
    let mut counts = rehearsal.recorder.counts();
    let minutes = span.map_or(0.0, |(first, last)| last.seconds_since(first)) / 60.0;
    let waits = counts.waits_report();
    Ok(Report {
        setup: setup(rehearsal),
        started_at: began.replace_nanosecond(0)?.format(&Rfc3339)?,
        seconds,
        ending,
        people: counts.people(),
        sale: Sale { people_per_minute: per_minute(fairness.turns, minutes), ..counts.sale() },
        operations: counts.operations(),
        timeline: counts.timeline(),
        waits,
        fairness,
        outages: *counts.outages(),
        violation_counts: found.counts,
        violations: found.first,
    })
}

/// So many in a minute. What took less than a second is taken for one.
fn per_minute(count: u64, minutes: f64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / minutes.max(1.0 / 60.0)
}

fn setup(rehearsal: &Rehearsal) -> Setup {
    let options = &rehearsal.options;
    Setup {
        servers: rehearsal.client.servers().to_vec(),
        people: options.people,
        seats: rehearsal.stage.seats,
        schedules: options.dates(),
        pattern: options.pattern.name().to_owned(),
        arrival_seconds: options.arrive_seconds,
        seed: options.seed,
        connections: options.connections.into(),
        until_sold_out: options.until_sold_out,
        outages_expected: options.expect_outages,
    }
}
