"""Compresses the images of one batch of a file list: the program that each job of AWS Batch runs."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import os
import signal
import threading
from collections.abc import Mapping, Sequence

from cli import exits
from cli.arguments import positive
from cli.exits import Exit

_EPILOG = """\
Everything else comes from variables: BATCH_JOB_KEY (batch_3, or 3; on AWS Batch the array index stands for it),
AWS_REGION, IN_BUCKET, JSON_LOCATION, OUT_BUCKET, OUT_KEY, DIVIDE_CAMERA_WISE, OUT_LAYOUT; see docs/configuration.md.

examples:
  python bulk/compress_images.py
  python bulk/run_file_list_locally.py s3://lists/may.json s3://photos/compressed --jobs 4
"""

#: Seconds after SIGTERM when the job is over, whatever S3 does.
_LAST_MOMENT = 24.0


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Read the batch, compress, tell; the exit code is 0 only where every image has its output."""
    parser = argparse.ArgumentParser(
        prog="compress_images.py",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--workers", type=positive, metavar="N", help="images at one time (default: by the cores)")
    arguments = parser.parse_args(argv)
    stop = threading.Event()
    ended = exits.run(lambda: _run(environ, arguments.workers, stop))
    if stop.is_set():
        # An image that did not come to its end in time has a thread for which nobody waits.
        os._exit(ended)
    return ended


def _run(environ: Mapping[str, str], workers: int | None, stop: threading.Event) -> int:
    from bulk.batch_job import BatchJob
    from pipeline import freed_memory
    from pipeline.batch.json_tokens import FileListError

    freed_memory.keep()
    signals = _stop_on_signals(stop)
    try:
        job = BatchJob.of(environ, workers)
        finished = job.run(stop)
    except FileListError as error:
        raise exits.CommandError(str(error)) from error
    if not finished:
        return Exit.INTERRUPTED if signal.SIGINT in signals else Exit.TERMINATED
    return Exit.SOME_FAILED if job.failed else Exit.DONE


def _stop_on_signals(stop: threading.Event) -> list[int]:
    """Let SIGTERM and Ctrl-C end the work in good order; the signals that came. A second Ctrl-C ends it at once."""
    came: list[int] = []

    def note(number: int, frame: object) -> None:
        came.append(number)
        stop.set()
        # Fargate kills 30 s after SIGTERM; whatever hangs then, the job has ended before.
        last = threading.Timer(_LAST_MOMENT, os._exit, [Exit.TERMINATED])
        last.daemon = True
        last.start()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, note)
    return came


if __name__ == "__main__":
    sys.exit(main())
