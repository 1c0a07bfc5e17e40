"""Drainers to be killed (`forge.py`).

A job is {"arguments": […], "environ": {…}, "step": name or null, "occurrence": n}: at its n-th time of that step it
kills itself.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import awscrt.checksums  # type: ignore[import-untyped]  # noqa: E402, F401
import botocore.session  # noqa: E402, F401

import bulk.drain.run  # noqa: E402, F401
from bulk.drain_bucket import Surroundings, main  # noqa: E402
from tests.torture.forge import die_at, serve  # noqa: E402


def drain(job: dict[str, Any]) -> int:
    watch = die_at(job["step"], job["occurrence"])
    return main(job["arguments"], Surroundings(environ=job["environ"], watch=watch))


if __name__ == "__main__":
    serve(drain)
