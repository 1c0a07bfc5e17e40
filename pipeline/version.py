"""The one place that holds the version, and the commit where that is known."""

from __future__ import annotations

VERSION = "0.1.0"
#: `git archive` fills this in for downloads, `setup_scripts/package.py` for the zip; in a checkout git itself is asked.
COMMIT = "$Format:%H$"
_DIGITS = 12


def release(commit: str = COMMIT) -> str:
    """Version and commit, `0.1.0+1a2b3c4d5e6f`, as logs and records carry them; the version alone where none is known.

    A commit that differs from what was checked out ends in `-dirty`.
    """
    if commit.startswith("$") or not commit:
        return VERSION
    digits, _, mark = commit.partition("-")
    return f"{VERSION}+{digits[:_DIGITS]}" + (f"-{mark}" if mark else "")
