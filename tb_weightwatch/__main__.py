"""`python -m tb_weightwatch` runs the command `weightwatch`."""

import sys

from .cli import main

sys.exit(main())
