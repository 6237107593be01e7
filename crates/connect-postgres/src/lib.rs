//! Connecting to `PostgreSQL` by a URL, for whoever reads or writes a database there: what of the URL may be told, and, in one
//! line, why a connection could not be had. The driver's own words name neither the cause nor the wrong part.

mod address;
mod causes;
mod connect;

pub use address::{Address, AddressError};
pub use connect::{Backend, ConnectError, connect, connect_and_ask};
