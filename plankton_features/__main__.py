"""``python -m plankton_features``: the program ``plankton-features``."""

import sys

from plankton_features.cli.start import main

sys.exit(main())
