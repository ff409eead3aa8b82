"""The commands of `reedbackup`, one a module, by `table.COMMANDS`."""
