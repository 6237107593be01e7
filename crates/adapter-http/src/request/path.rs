//! What the path of a request names.

use actix_web::HttpRequest;
use domain::QueueName;
use uuid::Uuid;

/// The id in the path, when it is one. What cannot be an id names nothing.
pub(crate) fn id<T>(request: &HttpRequest, of: impl Fn(Uuid) -> T) -> Option<T> {
    request.match_info().get("id").and_then(|text| Uuid::try_parse(text).ok()).map(of)
}

/// The queue in the path, when it can be one. What cannot be a queue's name names nothing.
pub(crate) fn queue(request: &HttpRequest) -> Option<QueueName> {
    request.match_info().get("queue").and_then(QueueName::parse)
}
