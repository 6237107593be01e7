//! What happens in a sale when time passes: turns come, holds run out.

pub(crate) mod admission;
pub(crate) mod roll_call;
pub(crate) mod sweep;
