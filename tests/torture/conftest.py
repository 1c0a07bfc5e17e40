from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.meta.project import ROOT
from tests.torture.deployment import Tortured, tortured_deployment
from tests.torture.results import Results, commit, write

_commit = pytest.StashKey[str]()
_found = pytest.StashKey[list[tuple[Results, float]]]()


@pytest.fixture(scope="session")
def tortured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tortured]:
    """One deployment for all tests that torture one; each uses keys of its own and says how its function works."""
    with tortured_deployment(tmp_path_factory.mktemp("tortured")) as tortured:
        yield tortured


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The public images."""
    folder = ROOT / ".corpora"
    if not (folder / "pillow").is_dir():
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("no public images here; `make corpora` fetches them")
    return folder


@pytest.fixture
def results(request: pytest.FixtureRequest, full_torture: bool) -> Iterator[Results]:
    """Takes the figures of a test; only those of a full run that passed are kept."""
    results = Results(request.node.nodeid.removeprefix("tests/torture/"))
    started = time.monotonic()
    yield results
    if full_torture and results.figures:
        request.config.stash.setdefault(_found, []).append((results, time.monotonic() - started))


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[_commit] = commit()


def pytest_sessionfinish(session: pytest.Session) -> None:
    found = session.config.stash.get(_found, [])
    if found:
        print(f"\nwritten: {write(found, session.config.stash[_commit])}")
