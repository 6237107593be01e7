//! What the commands of one batch work on: the connection inside its transaction, and what they share.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use diesel::SqliteConnection;
use domain::concert::{Found, Schedule};
use domain::ports::{IdGenerator, StoreError};
use domain::sale::Context;
use domain::{QueueNumber, Rules, ScheduleId, Ticket, Timestamp, Token};

use crate::connections::statement::{Statement, statements};
use crate::tables::queues::{self, QueueRow};
use crate::tables::{schedules, tokens};

statements! {
    Save = "SAVEPOINT command";
    Release = "RELEASE command";
    RollBack = "ROLLBACK TO command";
    SavePart = "SAVEPOINT part";
    ReleasePart = "RELEASE part";
    RollBackPart = "ROLLBACK TO part";
}

/// The transaction of a batch.
pub(crate) struct Transaction<'c> {
    /// The connection, for statements.
    pub(crate) conn: &'c mut SqliteConnection,
    /// The batch's time, read once, after its lock.
    pub(crate) now: Timestamp,
    /// The operator's numbers.
    pub(crate) rules: &'c Rules,
    /// Where new ids come from.
    pub(crate) ids: &'c dyn IdGenerator,
    /// How many tokens it admitted.
    pub(crate) admitted: u64,
    /// Of how many tokens it found that their time was up.
    pub(crate) expired: u64,
    /// The queue rows read so far, as they will be written.
    queues: HashMap<QueueNumber, QueueRow>,
    /// The same rows as they were read.
    read_queues: BTreeMap<QueueNumber, QueueRow>,
    /// What the running command found before it changed it, oldest first.
    undo: Vec<(QueueNumber, QueueRow)>,
    /// `admitted` and `expired` before it.
    counted: (u64, u64),
    /// Tokens as they are in the database now.
    tokens: HashMap<Ticket, Token>,
    schedules: HashMap<(QueueNumber, ScheduleId), Arc<Schedule>>,
    /// How many are ACTIVE by stored status, in queues from which this batch has admitted.
    active: HashMap<QueueNumber, u64>,
}

impl<'c> Transaction<'c> {
    pub(crate) fn new(
        conn: &'c mut SqliteConnection,
        now: Timestamp,
        rules: &'c Rules,
        ids: &'c dyn IdGenerator,
    ) -> Self {
        Self {
            conn,
            now,
            rules,
            ids,
            admitted: 0,
            expired: 0,
            queues: HashMap::new(),
            read_queues: BTreeMap::new(),
            undo: Vec::new(),
            counted: (0, 0),
            tokens: HashMap::new(),
            schedules: HashMap::new(),
            active: HashMap::new(),
        }
    }

    /// What every decision needs besides its facts.
    pub(crate) const fn context(&self) -> Context<'c> {
        Context { rules: self.rules, ids: self.ids, now: self.now }
    }

    /// Begins a command.
    pub(crate) fn save(&mut self) -> Result<(), StoreError> {
        self.undo.clear();
        self.counted = (self.admitted, self.expired);
        Save::execute(self.conn, &[]).map(drop)
    }

    /// Ends a command that succeeded.
    pub(crate) fn release(&mut self) -> Result<(), StoreError> {
        Release::execute(self.conn, &[]).map(drop)
    }

    /// Ends a command that failed, as if it had not begun.
    pub(crate) fn roll_back(&mut self) -> Result<(), StoreError> {
        RollBack::execute(self.conn, &[])?;
        Release::execute(self.conn, &[])?;
        self.restore(0, self.counted);
        Ok(())
    }

    /// Does a part of a command that may fail without failing all of it: then the part has not begun (trap S8).
    pub(crate) fn part<T>(
        &mut self,
        part: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<Result<T, StoreError>, StoreError> {
        let (undo, counted) = (self.undo.len(), (self.admitted, self.expired));
        SavePart::execute(self.conn, &[])?;
        let done = part(self);
        if done.is_err() {
            RollBackPart::execute(self.conn, &[])?;
            self.restore(undo, counted);
        }
        ReleasePart::execute(self.conn, &[])?;
        Ok(done)
    }

    /// Forgets what was done since there were `undo` queues to take back.
    fn restore(&mut self, undo: usize, counted: (u64, u64)) {
        self.queues.extend(self.undo.drain(undo..).rev());
        (self.admitted, self.expired) = counted;
        self.tokens.clear();
        self.schedules.clear();
        self.active.clear();
    }

    /// A queue as it is now; `None` when there is none of this number.
    pub(crate) fn queue(&mut self, number: QueueNumber) -> Result<Option<&QueueRow>, StoreError> {
        if !self.queues.contains_key(&number)
            && let Some(row) = queues::find(self.conn, number)?
        {
            self.read_queues.insert(number, row.clone());
            self.queues.insert(number, row);
        }
        Ok(self.queues.get(&number))
    }

    /// A queue to be changed by the rules; written when the batch ends, if they did.
    pub(crate) fn queue_mut(&mut self, number: QueueNumber) -> Result<Option<&mut QueueRow>, StoreError> {
        let Some(row) = self.queue(number)?.cloned() else { return Ok(None) };
        self.undo.push((number, row));
        Ok(self.queues.get_mut(&number))
    }

    /// A token as it is now; `None` when no such number was issued.
    pub(crate) fn token(&mut self, ticket: Ticket) -> Result<Option<Token>, StoreError> {
        if let Some(token) = self.tokens.get(&ticket) {
            return Ok(Some(token.clone()));
        }
        tokens::find(self.conn, ticket)
    }

    /// Writes a token that was just issued.
    pub(crate) fn insert_token(&mut self, token: Token) -> Result<(), StoreError> {
        tokens::insert(self.conn, &token)?;
        self.tokens.insert(token.ticket, token);
        Ok(())
    }

    /// Writes what changed of a token.
    pub(crate) fn update_token(&mut self, token: Token) -> Result<(), StoreError> {
        self.update_token_apart(&token)?;
        self.tokens.insert(token.ticket, token);
        Ok(())
    }

    /// Writes what changed of one of very many tokens, which nothing else in this batch is likely to need.
    pub(crate) fn update_token_apart(&mut self, token: &Token) -> Result<(), StoreError> {
        tokens::update(self.conn, token)?;
        self.tokens.remove(&token.ticket);
        // What ended is never written again: it was ACTIVE until now.
        if token.active.is_some()
            && token.end.is_some()
            && let Some(active) = self.active.get_mut(&token.ticket.queue)
        {
            *active = active.saturating_sub(1);
        }
        Ok(())
    }

    /// How many tokens of a queue are ACTIVE by stored status, if that is known without counting.
    pub(crate) fn known_active(&self, queue: QueueNumber) -> Option<u64> {
        self.active.get(&queue).copied()
    }

    /// Notes how many tokens of a queue are ACTIVE by stored status, after their ends were written. Ends are counted from
    /// then on; admission notes whom it admits.
    pub(crate) fn note_active(&mut self, queue: QueueNumber, active: u64) {
        self.active.insert(queue, active);
    }

    /// A schedule of this queue. What a schedule is never changes.
    pub(crate) fn schedule(&mut self, queue: QueueNumber, id: ScheduleId) -> Result<Found<Arc<Schedule>>, StoreError> {
        if let Some(schedule) = self.schedules.get(&(queue, id)) {
            return Ok(Found::Here(Arc::clone(schedule)));
        }
        Ok(match schedules::find(self.conn, queue, id)? {
            Found::Here(schedule) => {
                let schedule = Arc::new(schedule);
                self.schedules.insert((queue, id), Arc::clone(&schedule));
                Found::Here(schedule)
            }
            Found::Elsewhere => Found::Elsewhere,
            Found::Nowhere => Found::Nowhere,
        })
    }

    /// Queues that this batch has looked at in which somebody waits now.
    pub(crate) fn waited_in(&self) -> impl Iterator<Item = QueueNumber> {
        self.queues.values().map(|row| &row.queue).filter(|queue| queue.line.waiting() > 0).map(|queue| queue.number)
    }

    /// Writes the queues that are not as they were read: users who join again change nothing, and a batch that writes
    /// nothing costs no sync.
    pub(crate) fn write_queues(&mut self) -> Result<(), StoreError> {
        for (number, read) in &self.read_queues {
            if let Some(row) = self.queues.get(number)
                && row != read
            {
                queues::update(self.conn, row)?;
            }
        }
        Ok(())
    }
}
