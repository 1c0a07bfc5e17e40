"""docs/reliability.md has a row for everything that may happen, and each row a test or an entry of docs/aws-only.md."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from docs.figures import with_figures
from tests.meta.project import ROOT

PAGE = ROOT / "docs" / "reliability.md"
AWS_ONLY = ROOT / "docs" / "aws-only.md"
SECTIONS = tuple("ABCDEF")

TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ENTRY = re.compile(r"\]\(aws-only\.md#([\w-]+)\)")
ANCHOR = re.compile(r'<a id="([\w-]+)"></a>')


def rows(text: str) -> list[list[str]]:
    """The cells of every row of its tables; a bar inside code is none that parts cells."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    titles = [number for number, line in enumerate(text.splitlines()) if line.startswith("| ---")]
    headings = {text.splitlines()[number - 1] for number in titles}
    return [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if line not in headings]


def section(letter: str) -> str:
    """What stands under the heading `## A. …`."""
    [found] = re.findall(rf"^## {letter}\. .*?(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    return str(found)


def faults() -> list[list[str]]:
    before_the_figures, _, _ = PAGE.read_text(encoding="utf-8").partition("## Figures")
    return rows(before_the_figures)


@cache
def collected_from(path: str) -> frozenset[str]:
    """What pytest would collect there: functions of the module and methods of its classes, by name."""
    file = ROOT / path
    tree = ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else ast.Module([], [])
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name.startswith("Test")]
    nodes = [*tree.body, *(node for one in classes for node in one.body)]
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


@pytest.mark.parametrize("letter", SECTIONS)
def test_every_section_has_a_table(letter: str):
    assert len(rows(section(letter))) >= 10


def test_every_row_says_what_happens_what_must_happen_and_what_holds_it():
    assert len(faults()) > 120
    assert [row for row in faults() if len(row) != 3 or not all(cell.strip() for cell in row)] == []


def test_every_row_has_a_test_or_an_entry_of_what_only_aws_can_show():
    assert [row[0] for row in faults() if not (TEST.search(row[-1]) or ENTRY.search(row[-1]))] == []


def test_every_test_that_is_named_is_one_that_pytest_collects():
    named = [name for row in faults() for name in TEST.findall(row[-1])]

    assert [f"{path}::{name}" for path, name in named if name not in collected_from(path)] == []


def test_every_entry_of_what_only_aws_can_show_exists():
    anchors = ANCHOR.findall(AWS_ONLY.read_text(encoding="utf-8"))

    assert sorted(anchors) == sorted(set(anchors))
    assert [entry for row in faults() for entry in ENTRY.findall(row[-1]) if entry not in anchors] == []


def test_what_only_aws_can_show_says_what_was_tried_the_nearest_test_and_a_command():
    entries = rows(AWS_ONLY.read_text(encoding="utf-8"))

    assert len(entries) > 20
    assert [row[0] for row in entries if len(row) != 4 or not all(cell.strip() for cell in row)] == []
    assert [row[0] for row in entries if "`tests/" not in row[2] and "nothing nearer" not in row[2]] == []
    assert [row[0] for row in entries if "`" not in row[3]] == []


def test_the_figures_are_put_between_their_marks_and_nowhere_else(tmp_path):
    (tmp_path / "torture-2026-01-02.json").write_text(
        '{"test_a.py::test_b[c]": {"commit": "0123456789ab", "finished": "2026-01-02T03:04:05Z", "kills": 1000,'
        ' "lost": 0, "seed": 7, "500": 3, "throttled": 4}}'
    )
    begin, end = re.findall(r"<!--.*?-->", PAGE.read_text(encoding="utf-8"))[:2]

    page = with_figures(f"before {begin} old {end} after", tmp_path)

    assert page.startswith("before ") and page.endswith(" after") and "old" not in page
    assert (
        "| `tests/torture/test_a.py::test_b` (c) | kills 1,000, faults 7 | lost 0 | 7 | 2026-01-02 | 0123456 |" in page
    )
    with pytest.raises(ValueError, match="lacks"):
        with_figures("no marks", tmp_path)
