//! Changes of values that need not be there.

/// What becomes of a value that need not be there: whoever changes others leaves it as it is, which is not to take it away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Edit<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// There is none from now on.
    Clear,
    /// It is this from now on.
    Set(T),
}

impl<T> Edit<T> {
    /// The value after it.
    pub fn apply(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Keep => before,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// Whether everything stays as it is.
    pub const fn keeps(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_stays_and_what_is_cleared_goes() {
        for (edit, after, keeps) in
            [(Edit::Keep, Some(1), true), (Edit::Clear, None, false), (Edit::Set(2), Some(2), false)]
        {
            assert_eq!((edit.apply(Some(1)), edit.keeps()), (after, keeps), "{edit:?}");
        }
    }
}
