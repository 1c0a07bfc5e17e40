"""The documents agree with the programs and with each other, and no file says what it must not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.meta.project import ROOT, files

DOCUMENTS = [path for path in files() if path.suffix == ".md"]
TEXTS = [path for path in files() if path.suffix not in (".png", ".jpg", ".jpeg", ".webp", ".gif", ".ico", ".woff2")]

LINK = re.compile(r"\]\(([^)\s]+)\)")
#: Places of one machine, and words about how a change came about: both mean nothing to a reader.
PLACES_AND_ORIGINS = re.compile(
    r"/(?:work|root)/|/home/\w|\bshared/\w+\.md|\b(?:[c]laude|[a]nthropic|[c]hatgpt|[c]opilot)\b", re.I
)
SECRETS = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|[-]----BEGIN [A-Z ]*PRIVATE KEY|secret_access_key\s*=\s*[A-Za-z0-9/+]{40}\b", re.I
)
ACCOUNT = re.compile(r"(?<=:)\d{12}(?=:)")
#: The emulators' account and the one of AWS's documentation.
NOBODYS_ACCOUNTS = {"000000000000", "123456789012", "111122223333"}
#: A test as documents name it: `tests/unit/test_keys.py`, or with `::` and the name of one in it.
NAMED_TEST = re.compile(r"`(tests/\w+/test_\w+\.py)(?:::(\w+))?`")


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in TEXTS
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_the_generated_pages_are_fresh():
    ended = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(document: Path):
    targets = [link.split("#")[0] for link in LINK.findall(document.read_text(encoding="utf-8"))]
    local = [target for target in targets if target and "://" not in target]

    assert [target for target in local if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_test_that_a_document_names_exists(document: Path):
    named = NAMED_TEST.findall(document.read_text(encoding="utf-8"))

    assert [f"{path}::{name}" for path, name in named if not _is_test(ROOT / path, name)] == []


def _is_test(path: Path, name: str) -> bool:
    return path.is_file() and (not name or f"def {name}(" in path.read_text(encoding="utf-8"))


def test_no_file_names_a_place_on_one_machine_or_how_it_was_written():
    assert lines_with(PLACES_AND_ORIGINS) == []


def test_no_file_holds_a_secret_or_the_number_of_an_account():
    accounts = [line for line in lines_with(ACCOUNT) if not set(ACCOUNT.findall(line)) <= NOBODYS_ACCOUNTS]

    assert lines_with(SECRETS) == []
    assert accounts == []


def test_files_that_may_hold_secrets_or_state_are_never_added_to_the_repository():
    private = [".env", "config/.env", ".postback_signing_secrets", "aws_resources.db", ".local_cloud/x"]

    ignored = subprocess.run(
        ["git", "check-ignore", "--no-index", *private], cwd=ROOT, capture_output=True, text=True
    ).stdout.split()

    assert [name for name in private if name not in ignored] == []


def test_every_dependency_says_why_it_is_here():
    reasons = (ROOT / "docs" / "decisions" / "dependencies.md").read_text(encoding="utf-8").lower()
    lines = [line for path in files() if path.name.startswith("requirements") for line in path.read_text().splitlines()]
    names = {re.split(r"[^\w.-]", line)[0].lower() for line in lines if re.match(r"\w", line)}

    assert sorted(name for name in names if name not in reasons) == []


def test_what_the_zip_carries_is_in_the_notices_with_its_version_and_licence():
    requirements = (ROOT / "lambda_function" / "requirements.txt").read_text().splitlines()
    pinned = [re.match(r"([\w.-]+)==([\w.]+)", line) for line in requirements]
    notices = (ROOT / "THIRD_PARTY_NOTICES").read_text(encoding="utf-8")

    assert [pin[0] for pin in pinned if pin and f"\n{pin[1]} {pin[2]}\n  licence: " not in notices] == []


def test_the_notices_are_what_the_wheels_say():
    ended = subprocess.run(
        [sys.executable, "docs/notices.py", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    if "make zips" in ended.stderr:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up(ended.stderr.strip())

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_decision_is_in_the_index():
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")

    assert [path.name for path in folder.glob("*.md") if path.name != "README.md" and path.name not in index] == []


def test_every_policy_is_explained_in_the_page_on_security():
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")

    assert [path.name for path in (ROOT / "permission_templates").glob("*.json") if f"`{path.name}`" not in page] == []
