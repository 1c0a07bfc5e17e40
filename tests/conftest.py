from __future__ import annotations

import importlib.util
import os
import signal
import tempfile
from pathlib import Path

import pytest

from tests.network_guard import block_network
from tests.safe_environment import make_safe

# At import, so that it holds before any test module imports boto3. The folder lives as long as the process.
_home = tempfile.TemporaryDirectory(prefix="image-pipeline-tests-", ignore_cleanup_errors=True)
make_safe(os.environ, Path(_home.name))
block_network()
# A session that was started in the background has Ctrl-C switched off, and would hand that on to all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

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


@pytest.fixture(scope="session")
def full_torture(request: pytest.FixtureRequest) -> bool:
    """Whether the full numbers are asked for (`make torture`)."""
    return bool(request.config.getoption("--torture") == "full")
