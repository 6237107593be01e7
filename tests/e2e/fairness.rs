//! Fairness under load, proved from the database (R2, R3, R4): while a crowd joins at two servers and two schedulers admit,
//! every position that anybody was told is counted again, one by one, at the version that it carried.

use std::cell::Cell;
use std::collections::HashMap;

use e2e::{Settings, Storage, Visitor, until};
use futures::future::{join, join_all};
use serde_json::{Value, json};

use crate::servers::Servers;
use e2e::Dice;

/// How many join. `USHER_FAIRNESS_JOINS` sets another number, for runs by hand with the release build.
const JOINS: usize = 4_000;
/// How many join at a time, each by a connection of its own.
const CONNECTIONS: usize = 64;
/// Of so many who join one may be ACTIVE at once, so that some are admitted and others still wait in the end, at whatever pace.
const ADMITTED_ONE_IN: usize = 8;
/// In how many steps as many are let in.
const STEPS: usize = 40;
/// How many of those who have joined by a connection may still leave or poll.
const REMEMBERED: usize = 40;

/// A position that somebody was told.
struct Told {
    user: String,
    version: u64,
    position: u64,
}

/// What a token came to: its number, and the version at which it went out of line, if it did.
type Ends = HashMap<String, (usize, Option<u64>)>;

#[tokio::test]
async fn every_position_is_exact_and_nobody_is_overtaken_r4_q1_q4() {
    let joins = std::env::var("USHER_FAIRNESS_JOINS").map_or(JOINS, |joins| joins.parse().unwrap());
    let servers = Servers::open(Settings::line(Storage::Postgres, 0, 1_000_000, 1)).await;
    let joined = Cell::new(0);
    let crowd = join_all((0..CONNECTIONS).map(|seed| crowd(&servers, seed, joins, &joined)));
    let (told, ()) = join(crowd, let_in(&servers, joins, &joined)).await;
    let waited = "tokens WHERE activated_at > issued_at";
    until("some are admitted", async || (servers.database().count(waited) > joins / 100).then_some(())).await;
    let ends = ends(&servers, joins);
    is_exact(told.into_iter().flatten().collect(), &ends);
    let database = servers.database();
    let ordered = "SELECT *, lag(activated_at) OVER line AS time, lag(out_version) OVER line AS version
        FROM tokens WHERE activated_at IS NOT NULL WINDOW line AS (ORDER BY number)";
    assert_eq!(database.count(&format!("({ordered}) t WHERE activated_at < time OR out_version < version")), 0);
    let passed =
        "tokens WHERE status = 'WAITING' AND number < (SELECT max(number) FROM tokens WHERE activated_at IS NOT NULL)";
    assert_eq!(database.count(passed), 0, "somebody was passed over");
    for (what, rows) in [
        ("was admitted after a wait", waited),
        ("left in line", "tokens WHERE end_reason = 'LEFT' AND activated_at IS NULL"),
        ("still waits", "tokens WHERE status = 'WAITING'"),
    ] {
        assert!(database.count(rows) > joins / 100, "hardly anybody {what}");
    }
    servers.audit().await;
}

/// Lets more of the crowd in, at one server and then at the other, as more of it `joined`.
async fn let_in(servers: &Servers, joins: usize, joined: &Cell<usize>) {
    for step in 1..=STEPS {
        let enough = joins * step / STEPS;
        until("more of the crowd", async || (joined.get() >= enough).then_some(())).await;
        servers.shop(step).policy("main", json!({"max_active": enough / ADMITTED_ONE_IN})).await;
    }
}

/// A share of those who join, one after the other; in between some of them leave, and some ask both servers.
async fn crowd(servers: &Servers, seed: usize, joins: usize, joined: &Cell<usize>) -> Vec<Told> {
    let mut dice = Dice::seeded(u64::try_from(seed).unwrap());
    let (mut told, mut known): (Vec<Told>, Vec<Visitor>) = Default::default();
    for n in (seed..joins).step_by(CONNECTIONS) {
        let visitor = servers.shop(n / CONNECTIONS).join(&format!("user-{n}")).await;
        joined.set(joined.get() + 1);
        told.extend(Told::of(&visitor, &visitor.joined));
        known.push(visitor);
        let one = |dice: &mut Dice| usize::try_from(dice.roll(u32::try_from(known.len()).unwrap())).unwrap();
        let (asking, leaving) = (one(&mut dice), one(&mut dice));
        if dice.roll(2) == 0 {
            for turn in [n, n + 1] {
                let place = servers.at(turn, &known[asking]).place().await;
                told.extend(Told::of(&known[asking], &place));
            }
        }
        let leaves = dice.roll(4) == 0;
        if leaves || known.len() > REMEMBERED {
            let visitor = known.swap_remove(leaving);
            if leaves {
                servers.at(asking, &visitor).leave().await.expect(204);
            }
        }
    }
    told
}

impl Told {
    /// What an answer told of a place in line; nothing when its turn has come.
    fn of(visitor: &Visitor, place: &Value) -> Option<Self> {
        let position = place["position"].as_u64().filter(|position| *position > 0)?;
        Some(Self { user: visitor.user.clone(), version: place["version"].as_u64()?, position })
    }
}

/// What became of all of them. Their numbers are dense (R2).
fn ends(servers: &Servers, joins: usize) -> Ends {
    let all = "SELECT string_agg(user_id || ' ' || number || ' ' || coalesce(out_version::text, ''), ','
        ORDER BY number) AS text FROM tokens";
    let all = servers.database().text(all);
    let ends: Vec<_> = all.split(',').map(|token| token.split(' ').collect::<Vec<_>>()).collect();
    assert_eq!(ends.len(), joins);
    for (place, token) in ends.iter().enumerate() {
        assert_eq!(token[1], (place + 1).to_string(), "numbers have no gaps");
    }
    let end = |token: &Vec<&str>| (token[0].to_owned(), (token[1].parse().unwrap(), token[2].parse().ok()));
    ends.iter().map(end).collect()
}

/// R4: a position is one more than there were smaller numbers, at its version, that had not ceased to wait; and it never rises.
fn is_exact(mut told: Vec<Told>, ends: &Ends) {
    assert!(told.len() > ends.len() / 2, "{} positions are not many", told.len());
    let mut out: Vec<(u64, usize)> = ends.values().filter_map(|(number, out)| Some(((*out)?, *number))).collect();
    out.sort_unstable();
    told.sort_unstable_by_key(|told| told.version);
    let (mut out, mut gone, mut lowest) = (out.into_iter().peekable(), Gone(vec![0; ends.len() + 1]), HashMap::new());
    for Told { user, version, position } in &told {
        while let Some((_, number)) = out.next_if(|(out, _)| out <= version) {
            gone.add(number);
        }
        let (number, _) = ends[user];
        let ahead = number - 1 - gone.below(number);
        assert_eq!(*position, u64::try_from(ahead + 1).unwrap(), "{user}, number {number}, at version {version}");
        let lowest = lowest.entry(user).or_insert(*position);
        assert!(position <= lowest, "{user} went back from {lowest} to {position} at version {version}");
        *lowest = *position;
    }
}

/// How many numbers are gone below another one: a Fenwick tree.
struct Gone(Vec<usize>);

impl Gone {
    fn add(&mut self, number: usize) {
        let mut node = number;
        while node < self.0.len() {
            self.0[node] += 1;
            node += node & node.wrapping_neg();
        }
    }

    fn below(&self, number: usize) -> usize {
        let (mut node, mut sum) = (number - 1, 0);
        while node > 0 {
            sum += self.0[node];
            node &= node - 1;
        }
        sum
    }
}
