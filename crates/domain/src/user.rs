//! Who acts: the user id that the shop in front of Usher knows its people by.

use std::fmt;
use std::sync::Arc;

use unicode_normalization::is_nfc;

use crate::text::is_visible;

/// A user id: 1 to 64 visible characters, Unicode NFC, no white space at either end. Compared by bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(Arc<str>);

impl UserId {
    /// The longest user id, in characters.
    pub const MAX_CHARS: usize = 64;

    /// Reads a user id that somebody comes with; `None` when it breaks one of the bounds above.
    pub fn parse(text: &str) -> Option<Self> {
        Self::stored(text).filter(|id| is_visible(id.as_str()))
    }

    /// Reads a user id that is stored. Invisible characters other than controls were once let in, and what is stored already
    /// stops no queue.
    pub fn stored(text: &str) -> Option<Self> {
        // The byte length first, so that a text of a megabyte is refused without a walk through it.
        let fits = (1..=Self::MAX_CHARS * 4).contains(&text.len()) && text.chars().count() <= Self::MAX_CHARS;
        (fits && text.trim() == text && !text.chars().any(char::is_control) && is_nfc(text))
            .then(|| Self(Arc::from(text)))
    }

    /// The id as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_a_user_id() {
        let longest = "가".repeat(64);
        for good in ["a", "user-1", "김 철수", "é", longest.as_str(), "*", "o'brien", "😀"] {
            assert!(UserId::parse(good).is_some(), "{good}");
        }
        let too_long = "a".repeat(65);
        for bad in ["", " a", "a ", "a\u{3000}", "a\nb", "a\0", "\u{7f}", "e\u{301}", too_long.as_str()] {
            assert_eq!(UserId::parse(bad), None, "{bad:?}");
            assert_eq!(UserId::stored(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn nobody_comes_with_an_id_that_looks_like_another_and_who_has_one_keeps_it() {
        for once in ["kim\u{200b}", "a\u{202e}b", "\u{feff}a", "a\u{e000}", "a\u{378}", "👩\u{200d}👧"] {
            assert_eq!(UserId::parse(once), None, "{once:?}");
            assert!(UserId::stored(once).is_some(), "{once:?}");
        }
    }
}
