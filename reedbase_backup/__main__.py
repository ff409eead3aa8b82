"""`python -m reedbase_backup` is `reedbackup`."""

import sys

from reedbase_backup.cli import main

sys.exit(main())
