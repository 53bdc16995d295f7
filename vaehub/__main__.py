"""`python -m vaehub` is the command line."""

import sys

from vaehub.cli.app import main

sys.exit(main())
