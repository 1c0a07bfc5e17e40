"""Uploads the images of a folder, waits until they are processed and prints what became of each."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
from collections.abc import Callable, Sequence

from cli import console, exits
from cli.arguments import Choice, command_parser
from cli.connection import connect


def main(argv: Sequence[str] | None = None, *, start: Callable[[], None] | None = None) -> int:
    """Upload, follow, print; returns the exit code. `start` opens a closed local port, for the root command."""
    parser = command_parser(
        __doc__ or "",
        "python upload_folder_images.py                   the samples in img/",
        "python upload_folder_images.py ~/Pictures        a folder with all that is below it",
        "python upload_folder_images.py --no-wait         do not wait for the results",
        "python upload_folder_images.py --send-messages   process again what is in the bucket",
        "python upload_folder_images.py --failed          process again only what failed",
        prog="upload_folder_images.py",
    )
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="default: img/")
    parser.add_argument("--no-wait", action="store_true", help="end when everything is uploaded")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--send-messages", action="store_true", help="upload nothing: send messages for all objects")
    again.add_argument("--failed", action="store_true", help="upload nothing: send messages for images that failed")
    parser.add_argument("--force", action="store_true", help="process unchanged images again")
    arguments = parser.parse_args(argv)
    return exits.run(lambda: _run(arguments, start))


def _run(arguments: argparse.Namespace, start: Callable[[], None] | None) -> int:
    from setup_scripts.upload import Upload

    with connect(Choice.from_arguments(arguments), start=start) as connection:
        console.say(f"Uploading to {connection.target.description}")
        upload = Upload.of(connection, force=arguments.force)
        if arguments.send_messages:
            results = upload.announce_all(arguments.folder, wait=not arguments.no_wait)
        elif arguments.failed:
            results = upload.announce_failed(arguments.folder, wait=not arguments.no_wait)
        else:
            results = upload.upload(arguments.folder, wait=not arguments.no_wait)
    from setup_scripts.results import print_results

    print_results(results, as_json=arguments.json)
    return exits.Exit.SOME_FAILED if any(result.is_failed for result in results) else exits.Exit.DONE


if __name__ == "__main__":
    sys.exit(main())
