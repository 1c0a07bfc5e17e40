"""Folders into a zip whose bytes tell nothing of the machine that made it."""

from __future__ import annotations

import os
import py_compile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePath

_EPOCH = (1980, 1, 1, 0, 0, 0)


def compile_all(folder: Path) -> None:
    """Bytecode beside every module, which Python takes without looking at times, and which names no folder of ours."""
    for path in sorted(folder.rglob("*.py")):
        py_compile.compile(
            str(path),
            dfile=entry_name(path, folder),
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )


def write_zip(folders: list[Path], target: Path) -> None:
    """What is in `folders`, merged, as `target`, which appears only when it is complete."""
    entries = sorted((entry_name(path, folder), path) for folder in folders for path in _files(folder))
    # Of its own for each process: two may build the same zip.
    partial = target.with_suffix(f".{os.getpid()}.partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, path in entries:
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # Unix on every system, so that the modes count
            info.external_attr = 0o100644 << 16
            archive.writestr(info, path.read_bytes(), compresslevel=6)
    partial.replace(target)


def entry_name(path: PurePath, folder: PurePath) -> str:
    """What `path` below `folder` is called in the zip, whichever system the path is of."""
    return path.relative_to(folder).as_posix()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
