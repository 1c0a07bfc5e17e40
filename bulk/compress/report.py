"""What a run leaves for people and programs: the closing table, and a report of every image."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bulk.compress.journal import Journal
from bulk.compress.outcome import Outcome
from cli import console
from cli.exits import CommandError

FIELDS = ("line", "key", "outcome", "code", "reason", "bytes_before", "bytes_after", "etag_before", "etag_after")
_OMITTED = "not done"
#: A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def require_writable(path: Path) -> None:
    """Before hours of work, whose report it is: CommandError where it cannot be written."""
    with _writing(path):
        was_there = path.exists()
        path.open("a").close()
        if not was_there:
            path.unlink()


def write_report(journal: Journal, path: Path) -> None:
    """Every image and every line of the list that named none; CSV or JSON by the suffix of `path`."""
    with _writing(path), path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix.lower() == ".json":
            file.write("[")
            for number, entry in enumerate(_entries(journal)):
                file.write((",\n" if number else "\n") + json.dumps(entry))
            file.write("\n]\n")
        else:
            writer = csv.writer(file)
            writer.writerow(FIELDS)
            writer.writerows([_cell(value) for value in entry.values()] for entry in _entries(journal))


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """CommandError where the disk or the folder refuses."""
    try:
        yield
    except OSError as error:
        text = f"the report {path} cannot be written: {error.strerror}"
        raise CommandError(f"{text}. Name a file in a folder that is there, and that you may write to") from error


def _entries(journal: Journal) -> Iterator[dict[str, Any]]:
    for done in journal.images():
        values: tuple[Any, ...] = (done.line, done.key, done.outcome.value, done.code, done.reason)
        values += (done.before, done.after, done.etag_before, done.etag_after)
        yield dict(zip(FIELDS, values, strict=True))
    for row in journal.omitted():
        yield dict(zip(FIELDS, (row.line, row.text, _OMITTED, "", row.reason, None, None, "", ""), strict=True))


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def totals(journal: Journal) -> dict[str, Any]:
    """The closing table as plain values."""
    groups = journal.groups()
    lines, faults = journal.omissions()
    saving = [group for group in groups if group.outcome in (Outcome.COMPRESSED, Outcome.WOULD_COMPRESS)]
    return {
        "images": sum(group.images for group in groups),
        "groups": [
            {"outcome": group.outcome, "code": group.code, "images": group.images}
            | {"bytes_before": group.before, "bytes_after": group.after}
            for group in groups
        ],
        "bytes_saved": sum(group.before - group.after for group in saving),
        "lines_not_done": lines,
        "lines_to_mend": faults,
        "failed": sum(group.images for group in groups if group.outcome == Outcome.FAILED) + faults,
    }


def print_totals(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        console.json_line(found)
        return
    rows = [
        (group["outcome"], group["code"], f"{group['images']:,}", *_sizes(group["bytes_before"], group["bytes_after"]))
        for group in found["groups"]
    ]
    if found["lines_not_done"]:
        rows.append((_OMITTED, "", f"{found['lines_not_done']:,}", "", "", ""))
    columns = ("Outcome", "Code", "Images", "Before", "After", "Saved")
    console.table(columns, rows, right=columns[2:])


def _sizes(before: int, after: int) -> tuple[str, str, str]:
    saved = f"{100 * (before - after) / before:.1f} %" if before else ""
    return console.byte_size(before), console.byte_size(after), saved
