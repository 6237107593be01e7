//! What an operator tells those who wait, as answers tell it.

use domain::Message;
use serde::Serialize;
use utoipa::ToSchema;

/// The operator's word to those who wait.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub(crate) struct MessageView {
    /// In Korean.
    pub(crate) ko: String,
    /// In English.
    pub(crate) en: String,
}

impl From<&Message> for MessageView {
    fn from(message: &Message) -> Self {
        Self { ko: message.ko().to_owned(), en: message.en().to_owned() }
    }
}
