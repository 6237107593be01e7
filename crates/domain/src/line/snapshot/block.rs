//! A block of the snapshot's bitmap: which of its numbers ended, and how many did before each.

/// Which of [`Block::NUMBERS`] consecutive numbers ended, the first of them a multiple of it. Its methods take numbers
/// of the queue, of which it looks at the lower bits only: the caller knows whose block it is.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// A bit for each number: whether it ended.
    words: [u64; Block::WORDS],
    /// How many ended in earlier words of this block, for each word; in the last place, in all words.
    before: [u16; Block::WORDS + 1],
}

impl Block {
    /// How many numbers a block has.
    pub(super) const NUMBERS: u64 = 64 * 64;
    /// What a block takes in memory: itself, and the two counters that let it be shared.
    pub(super) const SHARED_BYTES: usize = size_of::<Self>() + 2 * size_of::<usize>();
    const WORDS: usize = 64;

    /// `number` ended. Once more changes nothing.
    pub(super) fn end(&mut self, number: u64) {
        let (index, bit) = spot(number);
        let (Some(word), Some(later)) = (self.words.get_mut(index), self.before.get_mut(index + 1..)) else { return };
        if *word & bit == 0 {
            *word |= bit;
            for before in later {
                *before += 1;
            }
        }
    }

    /// Counts no longer those that ended before `first`. Of numbers before it nothing may be asked any more.
    pub(super) fn forget_before(&mut self, first: u64) {
        let (index, bit) = spot(first);
        let forgotten = self.ended_before(first);
        if let Some(word) = self.words.get_mut(index) {
            *word &= !(bit - 1);
        }
        // For the words up to that one, all that were counted are forgotten, and perhaps more. Their bits do not matter.
        for before in &mut self.before {
            *before = before.saturating_sub(forgotten);
        }
    }

    /// Whether `number` ended.
    pub(super) fn has_ended(&self, number: u64) -> bool {
        let (index, bit) = spot(number);
        self.words.get(index).is_some_and(|word| word & bit != 0)
    }

    /// How many ended before `number`.
    pub(super) fn ended_before(&self, number: u64) -> u16 {
        let (index, bit) = spot(number);
        let lower = self.words.get(index).map_or(0, |word| (word & (bit - 1)).count_ones());
        let earlier = self.before.get(index).copied().unwrap_or(0);
        earlier + u16::try_from(lower).unwrap_or(0)
    }

    /// How many ended.
    pub(super) const fn ended(&self) -> u16 {
        let [.., all] = self.before;
        all
    }
}

impl Default for Block {
    fn default() -> Self {
        Self { words: [0; Self::WORDS], before: [0; Self::WORDS + 1] }
    }
}

/// The word of `number` in its block, and its bit there.
fn spot(number: u64) -> (usize, u64) {
    let index = usize::try_from(number % Block::NUMBERS / 64).unwrap_or(usize::MAX);
    (index, 1 << (number % 64))
}
