//! The whole API in one process, over the reference store and a clock that stands still.

mod bad_input;
mod errors;
mod identity;
mod lists;
mod loading;
mod middleware;
mod order;
mod prepared;
mod queues;
mod routes;
mod sale;
mod shared;
mod shop;
