"""Who installed what the older system asked for, and no more, is told what is missing and how it comes."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import distribution, requires
from pathlib import Path

import pytest

from tests.local_cloud_fixture import ROOT

PROGRAM = ROOT / "bulk" / "compress_images_from_S3.py"
#: `pip install boto3 pillow dask opencv-python`; the last one brings numpy, and nothing that we could use.
OLD_LINE = ("boto3", "pillow", "dask", "numpy")


def python_with(names: set[str], folder: Path) -> list[str]:
    """A Python that finds the standard library and these distributions only."""
    venv.create(folder, symlinks=True)
    target = folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    for name in names:
        for path in {file.parts[0] for file in distribution(name).files or () if ".." not in file.parts}:
            (target / path).symlink_to(Path(sysconfig.get_path("purelib")) / path)
    return [str(folder / "bin" / "python"), "-B"]


def closure(*names: str) -> set[str]:
    """The distributions and all that they need, as far as it is installed."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            needed = [line for line in requires(name) or () if "extra ==" not in line]
            waiting += [line.split(";")[0].split(" ")[0].split("<")[0].split(">")[0].split("=")[0] for line in needed]
            waiting = [one for one in waiting if is_installed(one)]
    return found


def is_installed(name: str) -> bool:
    try:
        return distribution(name) is not None
    except ImportError:
        return False


@pytest.mark.skipif(sys.platform == "win32", reason="environments are built otherwise there")
def test_what_is_missing_is_told_with_the_command_that_brings_it(tmp_path):
    python = python_with(closure(*OLD_LINE), tmp_path / "venv")
    command = [*python, str(PROGRAM), "--bucket_name", "meu-bucket", "--csv_path", "dataset.csv"]

    ended = subprocess.run(command, cwd=tmp_path, env={"PATH": ""}, capture_output=True, text=True, timeout=60)

    assert ended.returncode == 2
    assert "distributed is not installed: pip install -r bulk/requirements.txt" in ended.stderr
    assert "Traceback" not in ended.stderr and ended.stdout == ""
