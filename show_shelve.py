"""Prints what aws_resources.db holds."""

import sys

from cli.shelve_command import main

if __name__ == "__main__":
    sys.exit(main())
