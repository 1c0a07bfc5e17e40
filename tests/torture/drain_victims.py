"""Drainers to be killed (`forge.py`).

A job is {"arguments": […], "environ": {…}, "step": name or null, "occurrence": n}: at its n-th time of that step it
kills itself.
"""

from __future__ import annotations

from typing import Any

from bulk.drain_bucket import Surroundings, main
from tests.torture.forge import die_at, serve


def drain(job: dict[str, Any]) -> int:
    watch = die_at(job["step"], job["occurrence"])
    return main(job["arguments"], Surroundings(environ=job["environ"], watch=watch))


if __name__ == "__main__":
    serve(drain)
