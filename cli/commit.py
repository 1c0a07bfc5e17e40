"""Which commit this is: asked of git in a checkout, read from the source where there is no git."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

from pipeline.settings import ROOT
from pipeline.version import COMMIT, release


@cache
def commit(root: Path = ROOT) -> str:
    """The commit of the checkout `root`, ending in `-dirty` where files of it were changed; else what `COMMIT` says."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # Not the repository of somebody else, into which a download was unpacked; and no lock while others work here.
    environ |= {"GIT_CEILING_DIRECTORIES": str(root.parent), "GIT_OPTIONAL_LOCKS": "0"}
    command = ["git", "-C", str(root), "describe", "--always", "--exclude=*", "--abbrev=40", "--dirty"]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    except OSError:
        return COMMIT
    return ended.stdout.strip() if ended.returncode == 0 else COMMIT


def checked_out_release() -> str:
    """What of the version and the commit is running here."""
    return release(commit())
