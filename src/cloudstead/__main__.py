"""`python -m cloudstead`."""

import sys

from cloudstead.app import main

sys.exit(main())
