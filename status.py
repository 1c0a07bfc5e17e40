"""Shows what waits, what became of the images, and what that saved."""

import sys

from cli.local import start_local_cloud
from cli.status_command import main

if __name__ == "__main__":
    sys.exit(main(start=start_local_cloud))
