"""`reedbackup`: for now only `serve`; the commands for people are being written."""

import sys

from reedbase_backup.serve import serve


def main() -> int:
    """Serves the implementation that is named, the reference by default."""
    serve(sys.argv[2] if len(sys.argv) > 2 else "python")
    return 0
