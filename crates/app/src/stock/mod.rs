//! What the queues have left to buy, as those who wait are told: looked for once a second where somebody asks, by no poll.

pub(crate) mod searches;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::concert::{ScheduleFilter, ScheduleKey};
use domain::ports::StoreError;
use domain::stock::{Look, Search, Stock};
use domain::{Page, QueueNumber, ScheduleId};

use self::searches::Searched;
use crate::App;

/// How old a search of a schedule becomes before it looks at all seats anew.
const ANEW: Duration = Duration::from_secs(60);
/// How many seats of a schedule the first look of a try shows, and the largest one. Mostly the first one that is shown is free.
const FIRST: u32 = 16;
const LARGEST: u32 = 1_024;
/// How many seats of a queue are looked at in one try, or a few more; the next try goes on.
const MOST: usize = 10_000;

impl App {
    /// Looks for what is left in the queues about which somebody asked lately, and forgets the others. To be called every
    /// second, by one at a time.
    pub async fn read_stock(&self) -> Result<(), StoreError> {
        let mut searches = self.searches.lock().await;
        let lines = self.lines.load_full();
        let mut outcome = Ok(());
        for (number, queue) in lines.queues() {
            if !queue.is_asked_about() {
                if searches.remove(&number).is_some() {
                    queue.tell_stock(Arc::default());
                }
                continue;
            }
            match self.stock_of(number, searches.entry(number).or_default()).await {
                Ok(stock) => queue.tell_stock(Arc::new(stock)),
                // What was known is told on: it is better than nothing.
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    async fn stock_of(
        &self,
        queue: QueueNumber,
        known: &mut HashMap<ScheduleId, Searched>,
    ) -> Result<Stock, StoreError> {
        let on_sale = self.on_sale(queue).await?;
        let now = self.ports.clock.now();
        known.retain(|schedule, _| on_sale.contains(schedule));
        for schedule in &on_sale {
            let new = || Searched { search: Search::default(), began: now, is_over: false };
            let searched = known.entry(*schedule).or_insert_with(new);
            if searched.is_over && now.since(searched.began) >= ANEW {
                searched.search.begin_anew();
                (searched.began, searched.is_over) = (now, false);
            }
        }
        self.search(queue, &on_sale, known).await?;
        Ok(Stock::of(on_sale.iter().map(|schedule| known.get(schedule).and_then(|searched| searched.search.found()))))
    }

    /// One try in all schedules: looks on, by larger and larger looks, where it is not over.
    async fn search(
        &self,
        queue: QueueNumber,
        on_sale: &[ScheduleId],
        known: &mut HashMap<ScheduleId, Searched>,
    ) -> Result<(), StoreError> {
        let (mut pending, mut most, mut seen) = (on_sale.to_vec(), FIRST, 0);
        let mut is_first = true;
        while !pending.is_empty() && seen < MOST {
            let look = |schedule: &ScheduleId| {
                let search = &known.get(schedule)?.search;
                Some(if is_first { search.look(*schedule) } else { search.look_on(*schedule) })
            };
            let looks: Vec<Look> = pending.iter().filter_map(look).collect();
            let looked = self.ports.concerts.look(queue, &looks, most).await?;
            seen += looked.iter().map(|looked| looked.again.len() + looked.next.len()).sum::<usize>();
            let mut shown: HashMap<_, _> = pending.iter().copied().zip(looked).collect();
            pending.retain(|schedule| match (known.get_mut(schedule), shown.remove(schedule)) {
                (Some(searched), Some(looked)) => !searched.take_in(looked, most, is_first),
                _ => false,
            });
            (is_first, most) = (false, (most * 4).min(LARGEST));
        }
        Ok(())
    }

    /// The schedules that may be sold (R11).
    async fn on_sale(&self, queue: QueueNumber) -> Result<Vec<ScheduleId>, StoreError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = Page { limit: Page::<ScheduleKey>::MAX_LIMIT, after };
            let listed = self.ports.concerts.schedules(queue, &ScheduleFilter::default(), &page).await?;
            let Ok(listed) = listed else { return Ok(all) };
            all.extend(listed.items.iter().map(|schedule| schedule.id));
            match listed.next {
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }
}

#[cfg(test)]
mod tests;
