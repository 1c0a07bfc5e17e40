"""Uploads the images of a folder and prints what became of each."""

import sys

from cli.local import start_local_cloud
from setup_scripts.upload_folder_images import main

if __name__ == "__main__":
    sys.exit(main(start=start_local_cloud))
