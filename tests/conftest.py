from __future__ import annotations

import importlib.util
import os
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from tests import ports
from tests.network_guard import block_network
from tests.safe_environment import make_safe

# At import, so that it holds before any test module imports boto3. The folder lives as long as the process.
_home = tempfile.TemporaryDirectory(prefix="image-pipeline-tests-", ignore_cleanup_errors=True)
make_safe(os.environ, Path(_home.name))
block_network()
# A session that was started in the background has Ctrl-C switched off, and would hand that on to all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Examples are not timed: a machine that is busy is no fault of theirs.
settings.register_profile("untimed", settings(), deadline=None)
settings.load_profile("untimed")

_OLDER_LISTENERS = frozenset(found.inode for found in ports.listeners())

_PLUGINS = ("tests.browser", "tests.local_cloud_fixture")
pytest_plugins = [name for name in _PLUGINS if importlib.util.find_spec(name)]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--torture",
        choices=("slice", "full"),
        default="slice",
        help="how much of the torture tests: a seeded slice of at most 60 s a flow, or the full numbers",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright keeps an event loop running, in which nothing else may start its own."""
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))


def pytest_unconfigure() -> None:
    _home.cleanup()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """While what a test has started still runs: none of it can be reached from the network."""
    marks = (_home.name, str(item.config._tmp_path_factory.getbasetemp()))  # type: ignore[attr-defined]
    found = ports.open_to_the_network(_OLDER_LISTENERS, marks) if ports.can_be_read() else []
    if found:
        pytest.fail(f"open to the network: {'; '.join(found)}")


@pytest.fixture(scope="session")
def full_torture(request: pytest.FixtureRequest) -> bool:
    """Whether the full numbers are asked for (`make torture`)."""
    return bool(request.config.getoption("--torture") == "full")
