"""`run.py` on a machine that lacks something: what it says, and that the cure it names is one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Stands for Debian's Python without python3-venv: it leaves an environment whose interpreter starts, but has no pip.
HALF_VENV = """
import os, sys
from pathlib import Path
folder = Path(sys.argv[-1])
(folder / "bin").mkdir(parents=True, exist_ok=True)
(folder / "bin" / "python").unlink(missing_ok=True)
(folder / "bin" / "python").write_text('#!/bin/sh\\n[ "$1" != -m ]\\n')
(folder / "bin" / "python").chmod(0o755)
print("ensurepip is not available")
sys.exit(1)
"""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="stands for Debian's Python")


@pytest.fixture
def checkout(tmp_path):
    shutil.copy(ROOT / "run.py", tmp_path)
    (tmp_path / "venv.py").write_text(HALF_VENV)
    return tmp_path


def run_it(checkout: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(checkout)}
    return subprocess.run([sys.executable, "run.py"], cwd=checkout, env=environ, capture_output=True, text=True)


def test_an_environment_without_pip_is_made_anew_once_the_missing_package_is_there(checkout):
    first, second = run_it(checkout), run_it(checkout)

    for ended in (first, second):
        assert ended.returncode == 2
        assert "Making .venv" in ended.stderr
        assert "sudo apt install python3-venv" in ended.stderr
        assert "Installing" not in ended.stderr
