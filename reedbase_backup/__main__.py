"""`python -m reedbase_backup` is `reedbackup`."""

import sys

from reedbase_backup.cli.commands import main

sys.exit(main())
