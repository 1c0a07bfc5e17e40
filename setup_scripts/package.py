"""The zip that Lambda runs: `lambda_function/`, `pipeline/` and the wheels of `lambda_function/requirements.txt`.

Same sources, same bytes: entries are sorted and carry fixed times and modes. Wheels and zips are kept in `.build/`
under a hash of all that goes into them, so a second build reads a file and needs no network.
"""

from __future__ import annotations

import hashlib
import platform
import py_compile
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.exits import CommandError, Exit
from pipeline.settings import ROOT
from setup_scripts.installed import copy_installed
from setup_scripts.trim import trim

REQUIREMENTS = ROOT / "lambda_function" / "requirements.txt"
SOURCES = ("lambda_function", "pipeline")
AWS_PYTHON = (3, 13)
#: Part of every cache key: raised when the same sources begin to give another zip.
_FORMAT = 1
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """The Python and the machine that a zip is for; no `platforms` means: the Python that runs now."""

    python: tuple[int, int]
    machine: str
    platforms: tuple[str, ...] = ()

    @property
    def is_this_python(self) -> bool:
        return self.python == sys.version_info[:2]

    @property
    def key(self) -> str:
        system = "aws" if self.platforms else f"{sys.platform}-{sys.implementation.cache_tag}"
        return f"{system}-{self.python[0]}.{self.python[1]}-{self.machine}-{'pyc' if self.is_this_python else 'py'}"


def aws_runtime(machine: str = "arm64") -> Runtime:
    """AWS's python3.13 on `machine`, "arm64" or "x86_64". Amazon Linux 2023 has glibc 2.34."""
    platforms = tuple(f"{tag}_{_MACHINES[machine]}" for tag in ("manylinux_2_34", "manylinux_2_28", "manylinux2014"))
    return Runtime(python=AWS_PYTHON, machine=machine, platforms=platforms)


def local_runtime() -> Runtime:
    """This Python on this machine, on which the local cloud runs the functions."""
    machine = "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"
    return Runtime(python=sys.version_info[:2], machine=machine)


def runtime_for(*, is_aws: bool) -> Runtime:
    return aws_runtime() if is_aws else local_runtime()


def build(runtime: Runtime, home: Path, *, say: Callable[[str], None]) -> Path:
    """The path of the zip for `runtime` below `home`, made when it is not there yet."""
    folder = home / ".build"
    requirements = _requirements(runtime)
    wheels_hash = _digest(_FORMAT, runtime.key, requirements)
    sources = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in _source_files()}
    target = folder / f"function-{runtime.key}-{_digest(wheels_hash, sorted(sources.items()))}.zip"
    if not target.is_file():
        wheels = folder / f"wheels-{runtime.key}-{wheels_hash}"
        if not wheels.is_dir():
            say("Packing the libraries for the functions (only the first time)")
            _install(runtime, requirements, wheels)
        with _scratch(folder) as scratch:
            _write_sources(sources, scratch, compiled=runtime.is_this_python)
            _write_zip([wheels, scratch], target)
    return target


def _requirements(runtime: Runtime) -> str:
    """The pinned requirements; pyoxipng has no wheel for Python 3.14, which only the local cloud can meet."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    if runtime.python >= (3, 14):
        pinned = [line for line in pinned if not line.startswith("pyoxipng")]
    return "\n".join(pinned) + "\n"


def _source_files() -> Iterator[Path]:
    for folder in SOURCES:
        for pattern in ("*.py", "*.json"):
            yield from (path for path in (ROOT / folder).rglob(pattern) if "__pycache__" not in path.parts)


def _install(runtime: Runtime, requirements: str, target: Path) -> None:
    """Wheels into the folder `target`, which appears only when it is complete."""
    with _scratch(target.parent) as scratch:
        site = scratch / "site"
        if runtime.platforms or not copy_installed(requirements, site):
            listed = scratch / "requirements.txt"
            listed.write_text(requirements, encoding="utf-8")
            _pip_install(runtime, listed, site)
        trim(site)
        if runtime.is_this_python:
            _compile(site)
        _publish(site, target)


def _pip_install(runtime: Runtime, listed: Path, target: Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-qq", "--no-compile"]
    command += ["--no-deps", "--only-binary=:all:", "--target", str(target), "--requirement", str(listed)]
    if runtime.platforms:
        command += ["--implementation", "cp", "--python-version", ".".join(map(str, runtime.python))]
        for tag in runtime.platforms:
            command += ["--platform", tag]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise CommandError("pip could not get the libraries for the functions: see above", Exit.REFUSED)


def _write_sources(sources: dict[str, bytes], folder: Path, *, compiled: bool) -> None:
    for name, data in sources.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    if compiled:
        _compile(folder)


def _compile(folder: Path) -> None:
    """Bytecode beside every module, which Python takes without looking at times, and which names no folder of ours."""
    for path in sorted(folder.rglob("*.py")):
        py_compile.compile(
            str(path),
            dfile=path.relative_to(folder).as_posix(),
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )


def _write_zip(folders: list[Path], target: Path) -> None:
    entries = sorted((path.relative_to(folder).as_posix(), path) for folder in folders for path in _files(folder))
    partial = target.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, path in entries:
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # Unix on every system, so that the modes count
            info.external_attr = 0o100644 << 16
            archive.writestr(info, path.read_bytes(), compresslevel=6)
    partial.replace(target)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _publish(folder: Path, target: Path) -> None:
    try:
        folder.rename(target)
    except OSError:
        # Another setup was quicker; its folder was made of the same things.
        if not target.is_dir():
            raise


@contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix="making-") as scratch:
        yield Path(scratch)


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
