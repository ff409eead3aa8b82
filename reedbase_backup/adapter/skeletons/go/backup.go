package main

// BackupInfo describes a backup.
type BackupInfo struct {
	ID          string `json:"id"`
	Timestamp   uint64 `json:"timestamp"`
	SizeBytes   uint64 `json:"size_bytes"`
	TableCount  uint64 `json:"table_count"`
	Compression string `json:"compression"` // "gzip"
}

// RestoreReport says what a restore did.
type RestoreReport struct {
	TablesRestored uint64 `json:"tables_restored"`
	TotalBytes     uint64 `json:"total_bytes"`
	DurationMs     uint64 `json:"duration_ms"`
}

// Refused is an error of the contract: its kind (IoError, NoTablesFound, …) with its fields.
type Refused struct {
	Kind, Message string
	Fields        map[string]any
}

func toBeWritten(operation string) *Refused {
	fields := map[string]any{"operation": operation}
	return &Refused{"ToBeWritten", operation + " is to be written", fields}
}

// CreateBackup makes a backup of the database in the folder base.
func CreateBackup(base string) (*BackupInfo, *Refused) {
	return nil, toBeWritten("create_backup")
}

// ListBackups lists the backups, newest first: an empty slice where there are none, never nil.
func ListBackups(base string) ([]BackupInfo, *Refused) {
	return nil, toBeWritten("list_backups")
}

// RestorePointInTime restores the newest backup at or before the target, in Unix seconds.
func RestorePointInTime(base string, target uint64) (*RestoreReport, *Refused) {
	return nil, toBeWritten("restore_point_in_time")
}
