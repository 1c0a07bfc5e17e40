"""The log file of a run: `YYYY-MM-DD HH:MM:SS - LEVEL - message`, one line for each thing that was done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TextIO

from bulk.compress.outcome import LogLine
from cli.console import printable
from cli.exits import CommandError


class Log:
    """A new file in `folder`, named after the time; control characters in what it is told are escaped."""

    def __init__(self, folder: Path, *, now: Callable[[], datetime] = datetime.now) -> None:
        self._now = now
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = _created(folder, now().strftime("log_%Y-%m-%d_%H-%M-%S"))
        except OSError as error:
            raise CommandError(f"no log can be written in {folder}: {error.strerror}; set --log_dir") from error

    @property
    def path(self) -> Path:
        return Path(self._file.name)

    def say(self, text: str, level: str = "INFO") -> None:
        self.write([LogLine(self._now(), level, text)])

    def write(self, lines: Iterable[LogLine]) -> None:
        """Lines of one image stay together; a text of several lines becomes as many."""
        # `splitlines` would part them at characters, too, that keys may hold.
        self._file.writelines(
            f"{line.time:%Y-%m-%d %H:%M:%S} - {line.level} - {printable(text)}\n"
            for line in lines
            for text in (line.text.removesuffix("\n").split("\n") if line.level == "ERROR" else [line.text])
        )
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def _created(folder: Path, name: str) -> TextIO:
    """Two runs that begin in the same second have two logs."""
    number = 1
    while True:
        suffix = "" if number == 1 else f"_{number}"
        try:
            return (folder / f"{name}{suffix}.log").open("x", encoding="utf-8", errors="backslashreplace")
        except FileExistsError:
            number += 1
