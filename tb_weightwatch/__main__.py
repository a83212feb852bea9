"""`python -m tb_weightwatch` is the command `weightwatch`."""

import sys

from .cli import main

sys.exit(main())
