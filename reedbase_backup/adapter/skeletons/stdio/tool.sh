#!/bin/sh
# Put your own command here: create BASE | list BASE | restore BASE TARGET (Unix seconds).
printf '{"kind": "ToBeWritten", "message": "%s is to be written", ' "$1"
printf '"fields": {"operation": "%s"}}\n' "$1"
exit 1
