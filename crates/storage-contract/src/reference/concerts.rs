//! What is sold.

use std::ops::Bound;

use async_trait::async_trait;
use domain::concert::{
    Concert, CreatedConcert, Load, Loaded, NewConcert, NewSchedule, Schedule, ScheduleFilter, ScheduleKey, SeatMap,
    load,
};
use domain::page::Listed;
use domain::ports::{Answer, ConcertRepository, Decided, IdGenerator, LoadCommand, StoreError};
use domain::rejection::Missing;
use domain::seat::{Seat, SeatStatus};
use domain::stock::{Look, Looked, SeatSeen};
use domain::{ConcertId, Page, QueueNumber, Rejection, ScheduleId, SeatId, Timestamp};

use super::{Reference, Sale, State, down};

#[async_trait]
impl ConcertRepository for Reference {
    async fn create(&self, command: &LoadCommand) -> Decided<Answer<CreatedConcert>> {
        let (mut state, now) = self.lock();
        Ok(state.create(command, now))
    }

    async fn list(&self, page: &Page<ConcertId>) -> Result<Listed<Concert, ConcertId>, StoreError> {
        let (state, now) = self.lock();
        let mut concerts: Vec<_> = state.sales.values().flat_map(|sale| sale.concerts(now)).collect();
        concerts.sort_by_key(|concert| concert.id);
        let items = down(concerts.into_iter().map(|concert| (concert.id, concert)), page);
        Ok(Listed::cut(items, page, |concert| concert.id))
    }

    async fn schedules(
        &self,
        queue: QueueNumber,
        filter: &ScheduleFilter,
        page: &Page<ScheduleKey>,
    ) -> Decided<Listed<Schedule, ScheduleKey>> {
        let (state, now) = self.lock();
        if let Some(concert) = filter.concert
            && let Err(rejection) = state.locate(queue, |sale| sale.titles.get(&concert)).or_reject(Missing::Concert)
        {
            return Ok(Err(rejection));
        }
        let key = |schedule: &Schedule| (schedule.starts_at.at(), schedule.id);
        let all = state.sales.get(&queue).into_iter().flat_map(|sale| sale.schedules.values());
        let mut shown: Vec<_> = all
            .filter(|schedule| filter.shows(schedule, now))
            .filter(|schedule| page.after.is_none_or(|after| key(schedule) > after))
            .cloned()
            .collect();
        shown.sort_by_key(key);
        Ok(Ok(Listed::cut(shown, page, key)))
    }

    async fn seats_available(&self, queue: QueueNumber, schedule: ScheduleId) -> Result<u32, StoreError> {
        let (state, now) = self.lock();
        let seats = state.sales.get(&queue).map(|sale| sale.seats_of(schedule)).unwrap_or_default();
        let free = seats.iter().filter(|seat| seat.status_at(now) == SeatStatus::Available);
        Ok(free.count().try_into().unwrap())
    }

    async fn look(&self, queue: QueueNumber, looks: &[Look], most: u32) -> Result<Vec<Looked>, StoreError> {
        let (state, now) = self.lock();
        let looked = looks.iter().map(|look| {
            let mut seats = state.sales.get(&queue).map(|sale| sale.seats_of(look.schedule)).unwrap_or_default();
            seats.sort_by(|one, other| (&one.price, one.number).cmp(&(&other.price, other.number)));
            let seen = |seat: &Seat| {
                let (price, number, status) = (seat.price.clone(), seat.number, seat.status_at(now));
                SeatSeen { price, number, status }
            };
            let after = look.after.as_ref();
            let next =
                seats.iter().filter(|seat| after.is_none_or(|after| (&seat.price, seat.number) > (&after.0, after.1)));
            Looked {
                again: seats.iter().filter(|seat| look.again.contains(&seat.number)).map(|seat| seen(seat)).collect(),
                next: next.take(usize::try_from(most).unwrap()).map(|seat| seen(seat)).collect(),
            }
        });
        Ok(looked.collect())
    }

    async fn seat_map(&self, queue: QueueNumber, schedule: ScheduleId) -> Decided<SeatMap> {
        let (state, now) = self.lock();
        let found = state.locate(queue, |sale| sale.schedules.get(&schedule).map(|schedule| (sale, schedule)));
        Ok(found.or_reject(Missing::Schedule).map(|(sale, schedule)| SeatMap {
            schedule: schedule.clone(),
            seats: sale.seats_of(schedule.id).into_iter().map(|seat| (seat.clone(), seat.status_at(now))).collect(),
        }))
    }
}

impl State {
    fn create(&mut self, command: &LoadCommand, now: Timestamp) -> Result<Answer<CreatedConcert>, Rejection> {
        let LoadCommand { concert, key } = command;
        let fingerprint = concert.fingerprint();
        let before = key.as_ref().and_then(|key| self.load_keys.get(key));
        let recorded =
            before.map(|(recorded, made)| Loaded { fingerprint: *recorded, queue: made.queue, concert: made.id });
        let queue = self.find_queue(&concert.queue);
        let Load::Anew(queue) = load(concert, &fingerprint, recorded.as_ref(), queue, now)? else {
            return Ok(Answer { value: before.unwrap().1.clone(), replayed: true });
        };
        let id = ConcertId::new(self.ids.next_id());
        let mut schedules = Vec::new();
        for planned in &concert.schedules {
            schedules.push(self.load(queue, id, concert, planned));
        }
        self.sales.get_mut(&queue).unwrap().titles.insert(id, concert.title.clone());
        let value = CreatedConcert { id, queue, schedules };
        if let Some(key) = key {
            self.load_keys.insert(key.clone(), (fingerprint, value.clone()));
        }
        Ok(Answer { value, replayed: false })
    }

    fn load(&mut self, queue: QueueNumber, concert: ConcertId, plan: &NewConcert, planned: &NewSchedule) -> ScheduleId {
        let id = ScheduleId::new(self.ids.next_id());
        let sale = self.sales.get_mut(&queue).unwrap();
        for (number, price) in planned.seats() {
            let seat = SeatId::new(self.ids.next_id());
            sale.numbers.insert((id, number), seat);
            sale.seats.insert(seat, Seat { id: seat, schedule: id, number, price: price.clone(), taken: None });
        }
        let schedule = Schedule {
            id,
            queue,
            concert,
            title: plan.title.clone(),
            starts_at: planned.starts_at,
            seats_total: planned.seats_total(),
            max_per_user: planned.max_per_user,
            concert_max_per_user: plan.max_per_user,
        };
        sale.schedules.insert(id, schedule);
        id
    }
}

impl Sale {
    fn concerts(&self, now: Timestamp) -> Vec<Concert> {
        let shown = |(id, title): (&ConcertId, &std::sync::Arc<str>)| {
            let filter = ScheduleFilter { concert: Some(*id), ..ScheduleFilter::default() };
            let open = || self.schedules.values().filter(|schedule| filter.shows(schedule, now));
            let dates = || open().map(|schedule| schedule.starts_at.date());
            let dates = dates().min()?..=dates().max()?;
            Some(Concert { id: *id, title: title.clone(), queue: self.queue.name.clone(), dates })
        };
        self.titles.iter().filter_map(shown).collect()
    }

    /// The seats of a schedule by number.
    pub(super) fn seats_of(&self, schedule: ScheduleId) -> Vec<&Seat> {
        let all = (Bound::Included((schedule, 0)), Bound::Included((schedule, u32::MAX)));
        self.numbers.range(all).map(|(_, id)| &self.seats[id]).collect()
    }
}
