"""What is told of a list that was made: bad and duplicate lines by their numbers, then the sum."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from bulk.list_lines import BadLine, Image
from cli import console

#: Of each kind of trouble so many lines are named; the rest is counted.
_NAMED = 20
_COMFORTABLE = 100_000


@dataclass
class Report:
    """What became of the lines."""

    images: int = 0
    batches: int = 0
    bytes: int | None = None
    bad_lines: int = 0
    duplicates: int = 0
    written: str = ""
    uploaded: str | None = None

    def bad(self, line: BadLine) -> None:
        self.bad_lines += 1
        _name(self.bad_lines, f"line {line.line}: {line.text!r}: {line.reason}")

    def duplicate(self, image: Image, first: int) -> None:
        self.duplicates += 1
        _name(self.duplicates, f"line {image.line}: {image.name} stands in line {first} already; it is done once")


def tell(report: Report, *, as_json: bool) -> None:
    """The result on stdout, and what a person should know of it on stderr."""
    if report.images < report.batches:
        console.say(f"There are more batches than images: {report.batches - report.images} of them stay empty")
    if report.images > _COMFORTABLE * report.batches:
        console.say(f"More than {_COMFORTABLE:,} images in a batch take hours and memory: think of more batches")
    if as_json:
        console.json_line(asdict(report))
        return
    weight = "" if report.bytes is None else f", {console.byte_size(report.bytes)}"
    console.result(f"{report.images} images{weight} in {report.batches} batches: {report.uploaded or report.written}")
    if report.bad_lines or report.duplicates:
        console.say(f"{report.bad_lines} bad lines, {report.duplicates} duplicates")


def _name(count: int, text: str) -> None:
    if count <= _NAMED:
        console.say(text)
    if count == _NAMED:
        console.say("… and so on: further lines of this kind are only counted")
