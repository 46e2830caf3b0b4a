"""``python -m speechbrain_petl.cli``: the command ``speechbrain-petl``."""

import sys

from speechbrain_petl.cli.main import main

sys.exit(main())
