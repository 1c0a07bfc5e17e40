"""A stdout whose reader has gone, as `| head` leaves it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout


@contextmanager
def unheard() -> Iterator[None]:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as nobody, redirect_stdout(nobody):
        yield
