"""`poetry install` installs what `make setup` does: pyproject.toml repeats the requirements files and nothing else."""

from __future__ import annotations

import re
import tomllib

from tests.meta.project import ROOT

FILES = ("requirements.txt", "bulk/requirements.txt", "imageservice/requirements.txt")
PIN = re.compile(r'([\w.-]+)==([\w.]+)(?:; (python_version [<>=]+ "[\d.]+"))?')


def required() -> dict[str, object]:
    lines = [line for name in FILES for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    pins = [PIN.match(line) for line in lines]
    found: dict[str, object] = {}
    for pin in pins:
        if pin:
            found[pin[1]] = {"version": pin[2], "markers": pin[3]} if pin[3] else pin[2]
    return found


def test_poetry_installs_what_the_requirements_files_name():
    poetry = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["poetry"]
    dependencies = dict(poetry["dependencies"])

    assert poetry["package-mode"] is False
    assert dependencies.pop("python") == ">=3.11,<3.15"
    assert dependencies == required()


def test_its_virtual_environment_is_the_one_of_the_makefile():
    settings = tomllib.loads((ROOT / "poetry.toml").read_text(encoding="utf-8"))

    assert settings["virtualenvs"]["in-project"] is True
