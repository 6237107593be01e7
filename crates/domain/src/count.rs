//! Lengths as the numbers that are stored and told.

/// How many there are. Nothing that is counted so comes near the bound: a concert has at most 100,000 seats, a batch
/// 512 commands.
pub fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
