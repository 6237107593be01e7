//! Mocks of the ports.
