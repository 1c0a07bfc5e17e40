"""How a command ends: the exit codes, and what a person reads instead of a traceback."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum

from cli.console import never_fail_to_print, say, silence
from cli.signals import Terminated, sigterm_raises
from pipeline.errors import RetryError
from pipeline.settings import SettingsError


class Exit(IntEnum):
    DONE = 0
    SOME_FAILED = 1
    WRONG_USE = 2
    INTERRUPTED = 130
    TERMINATED = 143
    REFUSED = 254


class CommandError(Exception):
    """A foreseeable fault: one line that names the thing and the cure, and the exit code."""

    def __init__(self, text: str, exit_code: Exit = Exit.WRONG_USE) -> None:
        super().__init__(text)
        self.text = text
        self.exit_code = exit_code


#: What a disk or a folder may say to any program, and the cure.
_NO_RIGHT = ("make it accessible, or name another place", Exit.WRONG_USE)
_NO_ROOM = ("make room, or name another place", Exit.SOME_FAILED)
_OF_THE_DISK = {
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _NO_RIGHT),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), _NO_ROOM),
    errno.EFBIG: ("raise the limit on the size of files (ulimit -f)", Exit.SOME_FAILED),
    errno.EIO: ("look after the disk, or name another place", Exit.SOME_FAILED),
}


def run(main: Callable[[], int]) -> int:
    """Call `main` and return its exit code; a foreseeable fault becomes one line on stderr and its code."""
    never_fail_to_print()
    try:
        with sigterm_raises(), _flushed_stdout():
            return main()
    except KeyboardInterrupt:
        return _end("interrupted; run the same command again to go on", Exit.INTERRUPTED)
    except Terminated:
        return _end("terminated; run the same command again to go on", Exit.TERMINATED)
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; Python would complain again when it flushes at exit.
        silence(sys.stdout)
        return Exit.DONE
    except Exception as error:
        fault = explain(error)
        if fault is None:
            raise
        return _end(f"error: {fault.text}", fault.exit_code)


def explain(error: Exception) -> CommandError | None:
    """The one place that puts the errors of boto3 into words; None means: this is a bug, show its trace."""
    if isinstance(error, CommandError):
        return error
    if isinstance(error, SettingsError):
        return CommandError(str(error))
    if isinstance(error, RetryError):
        return _not_now(error)
    if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
        return _no_place(error, *_OF_THE_DISK[error.errno])
    # What was never loaded has raised nothing, and takes long to load.
    if "botocore" not in sys.modules:
        return None
    from cli.aws_faults import explained

    return explained(error)


def _no_place(error: OSError, cure: str, exit_code: Exit) -> CommandError:
    where = f"{error.filename}: " if error.filename else ""
    return CommandError(f"{where}{error.strerror}: {cure}", exit_code)


def _not_now(error: RetryError) -> CommandError:
    """The pipeline's edges call everything that AWS may answer better later the same; here the cause says more."""
    cause = error.__cause__
    known = explain(cause) if isinstance(cause, Exception) else None
    return known or CommandError(f"{error.reason}: try again later", Exit.REFUSED)


def _end(line: str, exit_code: Exit) -> Exit:
    say(line)
    return exit_code


@contextmanager
def _flushed_stdout() -> Iterator[None]:
    """Find out here, not at the interpreter's end, whether the reader has gone: help texts wait in the buffer."""
    try:
        yield
    finally:
        # A program may be begun without one: `>&-`.
        if sys.stdout is not None:
            sys.stdout.flush()
