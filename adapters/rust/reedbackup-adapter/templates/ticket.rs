//! @PACKAGE@ behind the adapter protocol, contract `ticket`.

use reedbackup_adapter::{ticket, timed, Adapter, Implementation, Timed};
use std::path::Path;
use std::process::ExitCode;

@USES@

const NAME: &str = @NAME@;
const VERSION: &str = @VERSION@;

fn main() -> ExitCode {
    Adapter::new(NAME, VERSION).with(CrateUnderTest).serve()
}

struct CrateUnderTest;

/// Maps the crate's `BackupInfo`, field by field, without naming its type.
macro_rules! backup_info {
    ($info:ident) => {
        ticket::BackupInfo {
            id: $info.id,
            timestamp: $info.timestamp,
            size_bytes: $info.size_bytes,
            table_count: $info.table_count,
            compression: $info.compression,
        }
    };
}

impl Implementation for CrateUnderTest {
    type Contract = ticket::Ticket;

    fn create_backup(&mut self, base: &Path) -> Timed<ticket::BackupInfo> {
        timed(|| backup::create_backup(base), |info| backup_info!(info))
    }

    fn list_backups(&mut self, base: &Path) -> Timed<Vec<ticket::BackupInfo>> {
        timed(
            || backup::list_backups(base),
            |list| list.into_iter().map(|info| backup_info!(info)).collect(),
        )
    }

    fn restore_point_in_time(&mut self, base: &Path, target: u64) -> Timed<ticket::RestoreReport> {
        timed(
            || backup::restore_point_in_time(base, target),
            |report| ticket::RestoreReport {
                tables_restored: report.tables_restored,
                total_bytes: report.total_bytes,
                duration_ms: report.duration_ms,
            },
        )
    }
}
