"""Whether the memory of a process stays as it is."""

from __future__ import annotations

import statistics
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

#: The resident memory after the warm-up and at the end differ by no more than this share.
FLAT = 0.05


def rss(pid: int) -> float:
    """Resident kilobytes; 0 where the process is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return float(line.split()[1])
    return 0.0


@dataclass
class Memory:
    """Resident kilobytes, seen again and again at equal distances of work."""

    seen: list[float] = field(default_factory=list)

    def see(self, *pids: int) -> None:
        """The largest of some processes."""
        if largest := max(map(rss, pids), default=0.0):
            self.seen.append(largest)

    def growth(self) -> float:
        """By which share the last tenth is above the second: the first one is the warm-up."""
        tenth = max(1, len(self.seen) // 10)
        return self._middle(len(self.seen) - tenth) / self._middle(tenth) - 1 if self.seen else 0.0

    def figures(self) -> dict[str, float]:
        megabytes = statistics.median(self.seen or [0.0]) / 1000
        return {"megabytes": round(megabytes), "growth_percent": round(100 * self.growth(), 1)}

    def _middle(self, begin: int) -> float:
        tenth = max(1, len(self.seen) // 10)
        return statistics.median(self.seen[begin : begin + tenth] or self.seen[-1:])
