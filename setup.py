"""Sets the pipeline up. `pip` takes any setup.py for its own: strict arguments turn it away before anything happens."""

import sys

from setup_scripts.setup_command import main

if __name__ == "__main__":
    sys.exit(main())
