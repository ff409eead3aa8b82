//! ReedBase's backup module as ticket 060-OPS-01 asks for it, with the crates tar and flate2.
//!
//! The adapter kit's proof for contract `ticket`. Modules are where the ticket's Step 6 puts them.

mod error;
pub mod ops;

pub use error::{ReedError, ReedResult};
