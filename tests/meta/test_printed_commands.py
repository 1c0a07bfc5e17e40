"""Every command that a document prints exists and takes the arguments that stand there."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from setup_scripts.steps import STEPS
from tests.meta.project import ROOT, files

DOCUMENTS = [path for path in files() if path.suffix == ".md"]
SPAN = re.compile(r"`([^`]+)`")
COMMAND = re.compile(r"(?:^|[ /])python3? ((?:-m [a-z_]+|[\w/]+\.py)(?:\s.*)?)$")
#: Where a command ends: a comment, an explanation beside it, or the shell's next word.
END = re.compile(r"\s#|\s{2,}|\s[>|&]")
#: `start|stop`: one stands for all of them; in a table the stroke is escaped.
ALTERNATIVES = re.compile(r"(?:\\?\|[\w-]+)+")
TARGET = re.compile(r"(?:^|&& )make ([a-z0-9-]+)")
#: A step in its table, which has a step in each line.
STEP = re.compile(r"^\| `python (setup_scripts/\w+\.py)` \|", re.MULTILINE)
#: Steps that do nothing in a deployment that was not asked for them.
ASKED_FOR = {f"setup_scripts/create_{part}.py" for part in ("batch", "cloudfront", "image_service")}


def codes(document: Path) -> Iterator[str]:
    """What stands between backticks, and every line of a block of code; `&&` parts two commands."""
    fenced = False
    for line in document.read_text(encoding="utf-8").splitlines():
        fenced ^= line.lstrip().startswith("```")
        found = [line.strip().removeprefix("$ ")] if fenced or line.startswith("    ") else SPAN.findall(line)
        yield from (part.strip() for code in found for part in code.split("&&"))


def commands(document: Path) -> Iterator[list[str]]:
    for code in codes(document):
        line = ALTERNATIVES.sub("", code).replace(r"\|", "|")
        found = COMMAND.search(END.split(line)[0].strip())
        if found:
            yield shlex.split(found[1].replace("[", "").replace("]", ""))


def test_every_python_command_in_a_document_is_one_that_the_program_takes():
    printed = {tuple(command) for document in DOCUMENTS for command in commands(document)}

    ended = subprocess.run(
        [sys.executable, "-m", "tests.meta.parse_only"],
        cwd=ROOT,
        input=json.dumps(sorted(printed)),
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert ended.returncode == 0, ended.stderr
    assert len(printed) > 60
    assert json.loads(ended.stdout) == {}


def test_every_make_target_in_a_document_is_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    printed = {name for document in DOCUMENTS for code in codes(document) for name in TARGET.findall(code)}

    assert {"run", "test", "setup"} <= printed
    assert [name for name in sorted(printed) if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []


def test_the_first_steps_in_each_language_are_the_same_five_commands():
    pages = [ROOT / "docs" / f"inicio.{language}.md" for language in ("es", "pt")]

    spanish, portuguese = ([" ".join(command) for command in commands(page)] for page in pages)

    assert spanish == portuguese
    assert [command.split()[0] for command in spanish[1:6]] == [
        *("setup.py", "upload_folder_images.py", "query.py", "status.py", "teardown.py")
    ]


def test_the_steps_that_are_printed_make_a_deployment_in_the_order_in_which_they_stand_there():
    printed = STEP.findall((ROOT / "README.md").read_text(encoding="utf-8"))

    steps = [f"{step.create.__module__.replace('.', '/')}.py" for step in STEPS]
    assert set(steps) > ASKED_FOR
    assert printed == [*(step for step in steps if step not in ASKED_FOR), "setup_scripts/upload_folder_images.py"]
