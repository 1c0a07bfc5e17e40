"""Runs one PartiQL statement on the table of records."""

import sys

from cli.local import start_local_cloud
from cli.partiql import main

if __name__ == "__main__":
    sys.exit(main(start=start_local_cloud))
