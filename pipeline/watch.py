"""What is told while a job runs: the one place where logs, progress lines and tests hook in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Watch(Protocol):
    """Called after each step of `process.STEPS` with plain facts about it; whatever it raises ends the job there."""

    def __call__(self, step: str, facts: Mapping[str, object]) -> None: ...


def silent(step: str, facts: Mapping[str, object]) -> None:
    """A watch that tells nobody."""
