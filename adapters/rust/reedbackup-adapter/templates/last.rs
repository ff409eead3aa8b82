//! @PACKAGE@ behind the adapter protocol, contract `last`.

use reedbackup_adapter::last::{log_unless_ok, CurrentBase};
use reedbackup_adapter::{last, timed, Adapter, Failure, Implementation, Timed};
use std::path::Path;
use std::process::ExitCode;

@USES@

const NAME: &str = @NAME@;
const VERSION: &str = @VERSION@;

fn main() -> ExitCode {
    Adapter::new(NAME, VERSION)
        .with(CrateUnderTest::default())
        .serve()
}

#[derive(Default)]
struct CrateUnderTest {
    current: CurrentBase,
}

impl CrateUnderTest {
    /// The registry's caches are process-wide: they are set up anew before the first call on
    /// another base (contract `last`, "The adapter's duty"). Not part of the time of a call.
    #[allow(clippy::unit_arg)]
    fn prepare(&mut self, base: &Path) {
        if self.current.is_another(base) {
            let base = base.to_path_buf();
            log_unless_ok("init_registry", registry::init_registry(@INIT_ARGUMENT@));
            log_unless_ok("set_base_path", registry::set_base_path(@SET_ARGUMENT@));
            log_unless_ok("reload_dictionaries", registry::reload_dictionaries());
        }
    }
}

/// Maps the crate's `BackupInfo`, field by field, without naming its type.
macro_rules! backup_info {
    ($info:ident) => {
        last::BackupInfo {
            timestamp: $info.timestamp,
            path: $info.path,
            size_bytes: $info.size_bytes,
            size_mb: $info.size_mb,
        }
    };
}

impl Implementation for CrateUnderTest {
    type Contract = last::Last;

    fn create_backup(&mut self, base: &Path) -> Timed<last::BackupInfo> {
        self.prepare(base);
        timed(|| backup::create_backup(base), |info| backup_info!(info))
    }

    fn list_backups(&mut self, base: &Path) -> Timed<Vec<last::BackupInfo>> {
        self.prepare(base);
        timed(
            || backup::list_backups(base),
            |list| list.into_iter().map(|info| backup_info!(info)).collect(),
        )
    }

    fn restore_point_in_time(&mut self, base: &Path, target: u64) -> Timed<last::RestoreReport> {
        self.prepare(base);
        timed(
            || backup::restore_point_in_time(base, target),
            |report| last::RestoreReport {
                target_timestamp: report.target_timestamp,
                tables_restored: report.tables_restored,
                tables_skipped: report.tables_skipped,
                errors: report
                    .errors
                    .iter()
                    .map(|(table, error)| (table.clone(), Failure::of(error)))
                    .collect(),
            },
        )
    }
}
