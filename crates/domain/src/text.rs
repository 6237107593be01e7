//! What a text from outside may be: one place for ids of users, titles and words to people.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// The joiner that emoji of several people or signs are put together with.
const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Whether somebody who reads the text sees all of it, and sees it as it is: it has no character that controls, formats or
/// separates lines, none for private use and none that Unicode has not assigned. Such characters make two texts look alike,
/// turn the reading direction, or show as nothing.
pub(crate) fn is_visible(text: &str) -> bool {
    text.chars().all(is_visible_character)
}

fn is_visible_character(c: char) -> bool {
    !matches!(
        c.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::Unassigned
    )
}

/// A line of text for people, in Unicode NFC; `None` when it is not 1 to `most` visible characters, or nothing but blanks.
/// The zero width joiner may stand in it, for emoji.
pub(crate) fn line(text: &str, most: usize) -> Option<String> {
    // The byte length first: a text of megabytes is refused without being normalized. A character of NFC is made of at most
    // a few characters of at most four bytes.
    if text.len() > most.saturating_mul(32) {
        return None;
    }
    let text: String = text.nfc().collect();
    let good = text.chars().count() <= most
        && text.chars().any(|c| c != ZERO_WIDTH_JOINER && !c.is_whitespace())
        && text.chars().all(|c| c == ZERO_WIDTH_JOINER || is_visible_character(c));
    good.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Characters that nobody sees, or that change how others look: a control, a bidirectional override, a zero width space, a
    /// byte order mark, a soft hyphen, both separators, private use, a non-character.
    const HIDDEN: [char; 9] =
        ['\u{7}', '\u{202e}', '\u{200b}', '\u{feff}', '\u{ad}', '\u{2028}', '\u{2029}', '\u{e000}', '\u{fdd0}'];

    #[test]
    fn what_is_hidden_is_refused_in_every_text() {
        assert!(is_visible("김 철수 é 😀 o'brien"));
        for hidden in HIDDEN {
            assert!(!is_visible(&format!("a{hidden}b")), "{hidden:?}");
            assert_eq!(line(&format!("a{hidden}b"), 10), None, "{hidden:?}");
        }
    }

    #[test]
    fn a_line_is_normalized_and_counted_in_characters() {
        // As one keyboard writes it and as another one does.
        assert_eq!(line("\u{1100}\u{1161}", 1).as_deref(), Some("가"));
        assert_eq!(line("e\u{301}", 1).as_deref(), Some("é"));
        let family = "👩\u{200d}👩\u{200d}👧";
        assert_eq!(line(family, 5).as_deref(), Some(family));
        assert!(!is_visible(family), "but not in an id");
        for (text, fits) in
            [("", false), (" \u{3000}", false), ("\u{200d}", false), ("가나다", true), ("가나다라", false)]
        {
            assert_eq!(line(text, 3).is_some(), fits, "{text:?}");
        }
        assert_eq!(line(&"a".repeat(10_000_000), 200), None);
    }
}
