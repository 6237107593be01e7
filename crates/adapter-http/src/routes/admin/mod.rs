//! What an operator does.

mod concerts;
mod queues;

use crate::openapi::endpoint::Endpoint;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    [concerts::endpoints(), queues::endpoints()].into_iter().flatten().collect()
}
