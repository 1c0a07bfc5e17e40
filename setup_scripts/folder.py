"""The images in a folder: which files they are, and what their keys and Content-Types will be."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.exits import CommandError
from pipeline.settings import ROOT

#: First bytes → Content-Type. A file that begins so is an image, whatever it is called.
_MAGIC = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypavis", "image/avif"),
    (4, b"ftyphei", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"BM", "image/bmp"),
)
#: Files that are called so are sent even if they do not begin so: their record then says what is wrong with them.
_SUFFIXES = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".heic": "image/heic",
    ".heif": "image/heic",
    ".jpe": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".mpo": "image/jpeg",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".webp": "image/webp",
}
_LONGEST_MAGIC = 16


@dataclass(frozen=True)
class LocalImage:
    """A file to upload; `key` is its path below the folder, with slashes, letter for letter as on disk."""

    key: str
    path: Path
    content_type: str


@dataclass(frozen=True)
class Folder:
    """What a folder holds: images, and the files beside them that are none."""

    images: tuple[LocalImage, ...]
    ignored: tuple[Path, ...]


def default_folder(root: Path = ROOT) -> Path:
    """`img/`, else `IMG/`, as the document of the older system calls it in one place."""
    return next((root / name for name in ("img", "IMG") if (root / name).is_dir()), root / "img")


def read_folder(folder: Path) -> Folder:
    """All images below `folder`; names that begin with a dot are left out. CommandError where there is no folder."""
    if not os.path.isdir(folder):  # which knows of names that are too long
        raise CommandError(f"{folder} is not a folder: name one that holds images")
    images, ignored = [], []
    for path in _files(folder):
        content_type = _content_type(path)
        if content_type is None:
            ignored.append(path)
        else:
            images.append(LocalImage(_key(path, folder), path, content_type))
    return Folder(tuple(images), tuple(ignored))


def _key(path: Path, folder: Path) -> str:
    """Letter for letter as on disk, whatever encoding the shell's locale claims that names are in."""
    name = path.relative_to(folder).as_posix()
    try:
        return os.fsencode(name).decode()
    except UnicodeDecodeError:
        return name  # it is in that encoding, or in none


def path_of(key: str, folder: Path) -> Path:
    """Where the image lies whose key is `key`. ValueError where no file can be called so."""
    return folder / os.fsdecode(key.encode())


def _files(folder: Path) -> Iterator[Path]:
    """In order of name, folders that are links not followed but named: a link upwards would never end.

    OSError where a folder cannot be listed: what is in it would be left out without a word. One that went meanwhile
    has nothing in it.
    """
    for place, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__")))
        linked = (name for name in folders if Path(place, name).is_symlink())
        yield from (Path(place, name) for name in sorted([*files, *linked]) if not name.startswith("."))


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _content_type(path: Path) -> str | None:
    try:
        # A pipe waits for ever for somebody to write, and a device has no end.
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        with path.open("rb") as file:
            start = file.read(_LONGEST_MAGIC)
    except OSError:
        # It cannot be read now; if it is called an image, the upload says so.
        start = b""
    for offset, magic, content_type in _MAGIC:
        if start.startswith(magic, offset):
            return content_type
    return _SUFFIXES.get(path.suffix.lower())
