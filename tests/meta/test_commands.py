"""Every script explains itself from wherever it is run, and `setup.py` is not mistaken for an installer."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.meta.project import ROOT, Module, programs, scripts

#: Says on stderr that a client is being made: each of them begins with reading the description of its service.
TELL_OF_CLIENTS = """
import runpy, sys
def tell(event, arguments):
    if event == "open" and "service-2.json" in str(arguments[0]):
        print("A CLIENT WAS MADE", file=sys.stderr)
sys.addaudithook(tell)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


#: The poorest terminal: nothing but ASCII can be printed.
ASCII_ONLY = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


def run_python(*arguments, cwd, home):
    environ = {**os.environ, **ASCII_ONLY, "IMAGE_PIPELINE_HOME": str(home), "COLUMNS": "100"}
    return subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=cwd, env=environ, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("module", scripts(), ids=lambda module: str(module.path.relative_to(ROOT)))
def test_a_script_explains_itself_from_any_directory(module: Module, home, tmp_path):
    ended = run_python(module.path, "--help", cwd=tmp_path, home=home)

    assert_explains_itself(ended)
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("module", programs(), ids=lambda module: module.package)
def test_a_program_explains_itself(module: Module, home):
    ended = run_python("-m", module.name.removesuffix(".__main__"), "--help", cwd=ROOT, home=home)

    assert_explains_itself(ended)
    assert list(home.iterdir()) == []


def assert_explains_itself(ended: subprocess.CompletedProcess[str]) -> None:
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    usage, _, rest = ended.stdout.partition("\n\n")
    assert usage.startswith("usage: ")
    assert re.match(r"[A-Z].*?\.(\s|$)", rest, re.DOTALL), f"no sentence after the usage line:\n{ended.stdout}"
    assert re.search(r"examples?:\n +(python3?|make) ", ended.stdout), f"no example to copy:\n{ended.stdout}"


@pytest.mark.parametrize("arguments", [["egg_info"], ["-q", "bdist_wheel"], ["install"], ["develop", "--no-deps"]])
def test_setup_py_refuses_what_pip_asks_of_it_and_does_nothing(arguments, home):
    setup = ROOT / "setup.py"

    ended = run_python("-c", TELL_OF_CLIENTS, setup, *arguments, cwd=ROOT, home=home)

    assert ended.returncode == 2
    assert "CLIENT" not in ended.stderr
    assert "usage:" in ended.stderr
    assert list(home.iterdir()) == []


def test_the_alarm_for_clients_rings_when_one_is_made(home, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import boto3; boto3.client('s3')")

    ended = run_python("-c", TELL_OF_CLIENTS, script, cwd=ROOT, home=home)

    assert "CLIENT" in ended.stderr
