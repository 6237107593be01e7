//! What an operator tells those who wait.

use std::sync::Arc;

use crate::{FieldError, Wrong, text};

/// The operator's word to those who wait in a queue, in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    ko: Arc<str>,
    en: Arc<str>,
}

impl Message {
    /// The longest text of either language, in characters.
    pub const MAX: usize = 500;

    /// A message, of a Korean and an English text of 1 to [`Message::MAX`] characters, as titles are and in Unicode NFC. Names
    /// each text that is none.
    pub fn new(ko: &str, en: &str) -> Result<Self, Vec<FieldError>> {
        match (text::line(ko, Self::MAX), text::line(en, Self::MAX)) {
            (Some(ko), Some(en)) => Ok(Self { ko: Arc::from(ko), en: Arc::from(en) }),
            (ko, en) => {
                let wrong = [("message.ko", ko), ("message.en", en)].into_iter().filter(|(_, text)| text.is_none());
                Err(wrong.map(|(field, _)| FieldError::new(field, Wrong::Line { most: Self::MAX })).collect())
            }
        }
    }

    /// In Korean.
    pub fn ko(&self) -> &str {
        &self.ko
    }

    /// In English.
    pub fn en(&self) -> &str {
        &self.en
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_texts_are_1_to_500_characters_and_each_wrong_one_is_named() {
        let (longest, longer) = ("한".repeat(500), "한".repeat(501));
        let fields = |ko: &str, en: &str| match Message::new(ko, en) {
            Ok(message) => {
                assert_eq!((message.ko(), message.en()), (ko, en));
                vec![]
            }
            Err(errors) => errors.into_iter().map(|error| error.field).collect(),
        };
        assert_eq!(fields("곧 시작합니다", "Soon"), [""; 0]);
        assert_eq!(fields(&longest, &longest), [""; 0]);
        assert_eq!(fields(&longer, "Soon"), ["message.ko"]);
        assert_eq!(fields("곧", ""), ["message.en"]);
        assert_eq!(fields(" ", "a\u{0}"), ["message.ko", "message.en"]);
        let composed = Message::new("\u{1100}\u{1161}", "e\u{301}").unwrap();
        assert_eq!((composed.ko(), composed.en()), ("가", "é"));
    }
}
