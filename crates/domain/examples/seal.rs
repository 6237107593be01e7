//! The tokens of a queue's numbers, for measurements: `USHER_TOKEN_KEY=... seal EPOCH QUEUE LAST` prints those of 1 to LAST, a line each.
//!
//! EPOCH is the queue's, in 32 hexadecimal digits, as `SELECT encode(epoch, 'hex') FROM queues` prints it.

use std::error::Error;
use std::io::{BufWriter, Write, stdout};

use domain::seal::{ServerKey, ServerKeys};
use domain::{QueueEpoch, QueueNumber, TicketNumber};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: USHER_TOKEN_KEY=... seal EPOCH QUEUE LAST");
    let epoch = QueueEpoch(u128::from_str_radix(&next()?, 16)?.to_be_bytes());
    let queue = QueueNumber(next()?.parse()?);
    let last: u64 = next()?.parse()?;
    let key = ServerKey::from_secret(&std::env::var("USHER_TOKEN_KEY")?).ok_or("USHER_TOKEN_KEY is too short")?;
    let seal = ServerKeys::new(vec![key]).ok_or("there is no key")?.for_queue(queue, epoch);
    let mut out = BufWriter::new(stdout().lock());
    for number in (1..=last).map_while(TicketNumber::new) {
        writeln!(out, "{}", seal.seal(number).to_text())?;
    }
    Ok(out.flush()?)
}
