//! Operations on a whole database.

pub mod backup;
