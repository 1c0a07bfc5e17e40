"""SIGTERM as an exception, and signals that come where an exception would be lost."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any


class Terminated(BaseException):
    """SIGTERM came; not an Exception, so that no `except Exception` on the way can hold it up."""


#: What a signal raises, and the signal.
_RAISED_BY = {Terminated: signal.SIGTERM, KeyboardInterrupt: signal.SIGINT}
_SOON = 0.01


@contextmanager
def sigterm_raises() -> Iterator[None]:
    """Until the end of the block SIGTERM raises `Terminated`, as SIGINT raises KeyboardInterrupt."""

    def terminate(number: int, frame: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, terminate), sys.unraisablehook
    sys.unraisablehook = partial(_ask_again, before[1])
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before[0])
        sys.unraisablehook = before[1]


def _ask_again(otherwise: Callable[[Any], object], unraisable: Any) -> None:
    """A signal that comes while Python runs a destructor, or a callback of its imports, raises where nothing is passed
    on: without this the wish to stop would be lost."""
    number = _RAISED_BY.get(unraisable.exc_type)
    if number is None:
        otherwise(unraisable)
        return
    again = threading.Timer(_SOON, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()
