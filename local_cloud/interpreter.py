"""The Python that runs the functions: the standard library and nothing else, so a zip has to carry what it needs."""

from __future__ import annotations

import os
import shutil
import tempfile
import venv
from pathlib import Path


def bare_python(folder: Path) -> Path:
    """The interpreter of the empty virtual environment at `folder`, which is made once, without pip."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():  # also when it is a link to a Python that has been uninstalled
        _make(folder)
    return python


def _make(folder: Path) -> None:
    """Made aside and moved, so that a kill half-way leaves nothing that looks finished."""
    with tempfile.TemporaryDirectory(prefix="python-", dir=folder.parent) as aside:
        made = Path(aside) / folder.name
        venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(made)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
