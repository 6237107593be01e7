//! Lists come in pages: after a key, at most so many.

/// A page of a list whose order is by key `K`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<K> {
    /// How many items at most, 1 to [`Page::MAX_LIMIT`].
    pub limit: u32,
    /// The key of the last item of the page before; `None` asks for the first page.
    pub after: Option<K>,
}

impl<K> Page<K> {
    /// The longest page.
    pub const MAX_LIMIT: u32 = 100;

    /// A page after `after`; `None` when `limit` is out of 1 to [`Page::MAX_LIMIT`].
    pub fn new(limit: u32, after: Option<K>) -> Option<Self> {
        (1..=Self::MAX_LIMIT).contains(&limit).then_some(Self { limit, after })
    }
}

/// Items of one page and, when there are more, the key that the next page comes after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T, K> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// The key to ask for the next page with; `None` when this page is the last.
    pub next: Option<K>,
}

impl<T, K> Listed<T, K> {
    /// Cuts what a store read (one item more than the page may hold, if there are that many) to the page, and tells
    /// from the item too many that there is a next one.
    pub fn cut(mut items: Vec<T>, page: &Page<K>, key: impl Fn(&T) -> K) -> Self {
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(key) } else { None };
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_page_with_nothing_behind_it_is_the_last() {
        let page = Page::new(2, None).unwrap();
        assert_eq!(Listed::cut(vec![1, 2], &page, |n| *n), Listed { items: vec![1, 2], next: None });
        assert_eq!(Listed::cut(vec![1, 2, 3], &page, |n| *n), Listed { items: vec![1, 2], next: Some(2) });
    }

    #[test]
    fn limits_of_a_page() {
        for (limit, ok) in [(0, false), (1, true), (100, true), (101, false)] {
            assert_eq!(Page::<u32>::new(limit, None).is_some(), ok, "{limit}");
        }
    }
}
