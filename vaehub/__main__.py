"""`python -m vaehub` is the command line."""

import sys

from vaehub.cli import main

sys.exit(main())
