//! Puts a backup module written in Rust behind the adapter protocol.
//!
//! The conformance kit (`pytest --reedbackup-impl=COMMAND`) starts an adapter as a child process
//! and sends it JSON-RPC requests, one a line, on stdin. An adapter is an [`Adapter`] with an
//! [`Implementation`] for each contract it claims:
//!
//! ```no_run
//! use reedbackup_adapter::{ticket, timed, Adapter, Implementation, Timed};
//! use std::{path::Path, process::ExitCode};
//! # mod my_crate {
//! #     use std::{io::Result, path::Path};
//! #     pub struct Info { pub id: String, pub timestamp: u64, pub size_bytes: u64,
//! #         pub table_count: usize, pub compression: String }
//! #     pub struct Report { pub tables_restored: usize, pub total_bytes: u64, pub duration_ms: u64 }
//! #     pub fn create_backup(_: &Path) -> Result<Info> { unimplemented!() }
//! #     pub fn list_backups(_: &Path) -> Result<Vec<Info>> { unimplemented!() }
//! #     pub fn restore_point_in_time(_: &Path, _: u64) -> Result<Report> { unimplemented!() }
//! # }
//!
//! struct Mine;
//!
//! fn info(info: my_crate::Info) -> ticket::BackupInfo {
//!     ticket::BackupInfo {
//!         id: info.id,
//!         timestamp: info.timestamp,
//!         size_bytes: info.size_bytes,
//!         table_count: info.table_count,
//!         compression: info.compression,
//!     }
//! }
//!
//! impl Implementation for Mine {
//!     type Contract = ticket::Ticket;
//!     fn create_backup(&mut self, base: &Path) -> Timed<ticket::BackupInfo> {
//!         timed(|| my_crate::create_backup(base), info)
//!     }
//!     fn list_backups(&mut self, base: &Path) -> Timed<Vec<ticket::BackupInfo>> {
//!         timed(|| my_crate::list_backups(base), |list| list.into_iter().map(info).collect())
//!     }
//!     fn restore_point_in_time(&mut self, base: &Path, target: u64) -> Timed<ticket::RestoreReport> {
//!         timed(
//!             || my_crate::restore_point_in_time(base, target),
//!             |report| ticket::RestoreReport {
//!                 tables_restored: report.tables_restored,
//!                 total_bytes: report.total_bytes,
//!                 duration_ms: report.duration_ms,
//!             },
//!         )
//!     }
//! }
//!
//! fn main() -> ExitCode {
//!     Adapter::new("my-crate", "0.1.0").with(Mine).serve()
//! }
//! ```
//!
//! `reedbackup adapter rust` writes such a program for a crate that keeps to a contract's names.
//!
//! A panic of the implementation ends the process with its message on stderr and status 101: the
//! kit reports a crash, which is what it is. A reply is written whole or not at all.

mod adapter;
mod debug_text;
mod failure;
mod implementation;
pub mod last;
mod protocol;
mod stdio;
pub mod ticket;

pub use adapter::Adapter;
pub use failure::Failure;
pub use implementation::{timed, Contract, Implementation, Timed};
