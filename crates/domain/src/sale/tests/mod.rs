//! The order in which commands are decided, what they ask for, and what they change.

mod batches;
mod damage;
mod effects;
mod order;
mod scene;
