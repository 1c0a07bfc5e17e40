"""The signing secrets of postbacks where nobody set any: made once and kept in a file that only its owner reads."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from pipeline.web.signing import new_secret

FILE_NAME = ".postback_signing_secrets"


def kept_secrets(folder: Path) -> str:
    """The text for POSTBACK_SIGNING_SECRETS from the file in `folder`, with a new secret where there is no file yet.

    Programs that start at the same moment agree on one. To change it: put the new one on the first line, and take the
    old one away when all receivers know the new one.
    """
    path = folder / FILE_NAME
    if not path.exists():
        _create(path, new_secret() + "\n")
    return path.read_text(encoding="ascii")


def _create(path: Path, text: str) -> None:
    """All of it or nothing, and never over another's; mode 0600, which mkstemp gives."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
