"""The zip that Lambda runs: `lambda_function/`, `pipeline/` and the wheels of `lambda_function/requirements.txt`.

Same commit, same bytes, on any system: entries are sorted, carry fixed times, modes and line ends, and no path of the
machine. The commit itself is written into the zip's `pipeline/version.py`; where it runs, no git is needed. (Where
Python comes with another zlib only the compression may differ.) Wheels and zips are kept in `.build/` under a hash of
all that goes into them, so a second build reads a file and needs no network.
"""

from __future__ import annotations

import hashlib
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.commit import commit as commit_of
from cli.exits import CommandError, Exit
from pipeline.settings import ROOT
from setup_scripts.installed import copy_installed
from setup_scripts.trim import IMAGE_SERVICE_SERVICES, SERVICES, trim
from setup_scripts.zipping import compile_all, entry_name, write_zip

REQUIREMENTS = ROOT / "lambda_function" / "requirements.txt"
#: What the zip of the image service carries on top, with hashes.
IMAGE_SERVICE_REQUIREMENTS = ROOT / "lambda_function" / "requirements-image-service.txt"
#: REQUIREMENTS with the hashes of the wheels for AWS, which pip then insists on.
HASHED_REQUIREMENTS = ROOT / "lambda_function" / "requirements-hashed.txt"
SOURCES = ("lambda_function", "pipeline")
LICENCES = ("LICENSE", "THIRD_PARTY_NOTICES")
AWS_PYTHON = (3, 13)
#: As Lambda spells it; a Graviton second costs a fifth less than one of x86_64.
DEFAULT_ARCHITECTURE = "arm64"
ARCHITECTURES = ("arm64", "x86_64")
#: Part of every cache key: raised when the same sources begin to give another zip.
_FORMAT = 2
_VERSION = "pipeline/version.py"
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """The Python and the machine that a zip is for; no `platforms` means: the Python that runs now.

    `image_service`: whether it is for that function, whose libraries and services of AWS are not those of the others.
    """

    python: tuple[int, int]
    machine: str
    platforms: tuple[str, ...] = ()
    image_service: bool = False

    @property
    def is_this_python(self) -> bool:
        return self.python == sys.version_info[:2]

    @property
    def key(self) -> str:
        part = "-image-service" if self.image_service else ""
        system = "aws" if self.platforms else f"{sys.platform}-{sys.implementation.cache_tag}"
        return (
            f"{system}-{self.python[0]}.{self.python[1]}-{self.machine}-{'pyc' if self.is_this_python else 'py'}{part}"
        )


def aws_runtime(machine: str = DEFAULT_ARCHITECTURE) -> Runtime:
    """AWS's python3.13 on `machine`, one of ARCHITECTURES. Amazon Linux 2023 has glibc 2.34."""
    platforms = tuple(f"{tag}_{_MACHINES[machine]}" for tag in ("manylinux_2_34", "manylinux_2_28", "manylinux2014"))
    return Runtime(python=AWS_PYTHON, machine=machine, platforms=platforms)


def local_runtime() -> Runtime:
    """This Python on this machine, on which the local cloud runs the functions."""
    machine = "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"
    return Runtime(python=sys.version_info[:2], machine=machine)


def build(
    runtime: Runtime, home: Path, *, say: Callable[[str], None], root: Path = ROOT, commit: str | None = None
) -> Path:
    """The path of the zip for `runtime` below `home`, made of the checkout `root` when it is not there yet.

    `commit`: what the zip says that it was made from; by default what git says of `root`.
    """
    folder = home / ".build"
    wheels = wheels_folder(runtime, home)
    sources = dict(_sources(root))
    sources[_VERSION] = _stamped(sources[_VERSION], commit or commit_of(root))
    target = folder / f"function-{runtime.key}-{_digest(wheels.name, sorted(sources.items()))}.zip"
    if not target.is_file():
        if not wheels.is_dir():
            say("Packing the libraries for the functions (only the first time)")
            _install(runtime, requirements_for(runtime), wheels)
        with _scratch(folder) as scratch:
            _write_sources(sources, scratch, compiled=runtime.is_this_python)
            write_zip([wheels, scratch], target)
    return target


def wheels_folder(runtime: Runtime, home: Path) -> Path:
    """Where the libraries for `runtime` lie unpacked once a zip was built with them."""
    return home / ".build" / f"wheels-{runtime.key}-{_digest(_FORMAT, runtime.key, requirements_for(runtime))}"


def requirements_for(runtime: Runtime) -> str:
    """What pip is asked for: with hashes for AWS. pyoxipng has no wheel for Python 3.14, which only a laptop has."""
    extra = IMAGE_SERVICE_REQUIREMENTS.read_text(encoding="utf-8") if runtime.image_service else ""
    if runtime.platforms:
        return HASHED_REQUIREMENTS.read_text(encoding="utf-8") + extra
    lines = (REQUIREMENTS.read_text(encoding="utf-8") + extra).splitlines()
    pinned = [line.partition(" ")[0] for line in lines if line and not line.startswith("#")]
    if runtime.python >= (3, 14):
        pinned = [line for line in pinned if not line.startswith("pyoxipng")]
    return "\n".join(pinned) + "\n"


def _sources(root: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file of ours. git may have checked them out with the line ends of Windows."""
    found = [root / name for name in LICENCES]
    for folder in SOURCES:
        for pattern in ("*.py", "*.json"):
            found += (path for path in (root / folder).rglob(pattern) if _is_source(path))
    for path in found:
        yield entry_name(path, root), path.read_bytes().replace(b"\r\n", b"\n")


def _is_source(path: Path) -> bool:
    """On volumes of other systems macOS puts a `._name.py` beside each file, which is no Python."""
    return "__pycache__" not in path.parts and not path.name.startswith(".")


def _stamped(version: bytes, commit: str) -> bytes:
    """The module that holds the version, with the commit in it."""
    return re.sub(rb'^COMMIT = ".*"$', f'COMMIT = "{commit}"'.encode(), version, count=1, flags=re.MULTILINE)


def _install(runtime: Runtime, requirements: str, target: Path) -> None:
    """Wheels into the folder `target`, which appears only when it is complete."""
    with _scratch(target.parent) as scratch:
        site = scratch / "site"
        if runtime.platforms or not copy_installed(requirements, site):
            listed = scratch / "requirements.txt"
            listed.write_text(requirements, encoding="utf-8")
            _pip_install(runtime, listed, site)
        trim(site, IMAGE_SERVICE_SERVICES if runtime.image_service else SERVICES)
        if runtime.is_this_python:
            compile_all(site)
        _publish(site, target)


def _pip_install(runtime: Runtime, listed: Path, target: Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-qq", "--no-compile"]
    command += [*pip_options(runtime), "--target", str(target), "--requirement", str(listed)]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise CommandError("pip could not get the libraries for the functions: see above", Exit.REFUSED)


def pip_options(runtime: Runtime) -> list[str]:
    """How pip chooses wheels for `runtime`, on whatever machine it runs."""
    options = ["--no-deps", "--only-binary=:all:"]
    if runtime.platforms:
        options += ["--implementation", "cp", "--python-version", ".".join(map(str, runtime.python))]
        for tag in runtime.platforms:
            options += ["--platform", tag]
    return options


def _write_sources(sources: dict[str, bytes], folder: Path, *, compiled: bool) -> None:
    for name, data in sources.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    if compiled:
        compile_all(folder)


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
