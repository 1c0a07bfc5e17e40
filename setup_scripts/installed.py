"""Libraries out of the virtual environment in which we run: what is here already need not be fetched again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path


def copy_installed(requirements: str, target: Path) -> bool:
    """Copy the packages of `requirements` (lines `name==version`) to `target`; False where one is not here just so."""
    found = [_installed(line) for line in requirements.split()]
    packages = [package for package in found if package is not None]
    if len(packages) < len(found):
        return False
    for package in packages:
        for source, place in _files(package):
            (target / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / place)
    return True


def _installed(line: str) -> Distribution | None:
    """The package of one line, in exactly that version and with a list of its files."""
    name, _, version = line.partition("==")
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return None
    return package if package.version == version and package.files else None


def _files(package: Distribution) -> Iterator[tuple[Path, Path]]:
    """Where each file of `package` lies, and where it belongs below a folder of packages; programs are left out."""
    for file in package.files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            yield Path(str(package.locate_file(file))), Path(*file.parts)
