"""Deletes everything that setup.py made."""

import sys

from setup_scripts.teardown_command import main

if __name__ == "__main__":
    sys.exit(main())
