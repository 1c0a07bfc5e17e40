"""What functions logged long ago goes, so that the local cloud stays as large as it is.

CloudWatch lets lines go after the days that a group keeps them; MiniStack keeps all of them in memory, some twice.
"""

from __future__ import annotations

from typing import Any

#: Lines that are kept of each group: about a thousand calls of a function.
MOST_LINES = 5_000


def forget(logs: Any, most: int = MOST_LINES) -> None:
    """Let all but the newest `most` lines of each group go. Streams stay: a function may be about to write into one."""
    with logs._log_events_lock:
        gone = [line for group in logs._log_groups.all_values() for line in _forgotten(group, most)]
    for line in gone:
        # Lines that a function has printed have no id, and are there only once.
        logs._log_records.pop(line.get("eventId"), None)


def _forgotten(group: Any, most: int) -> list[dict[str, Any]]:
    """The lines that were taken out of the group."""
    # A list, at once: others make streams meanwhile.
    streams = list(group["streams"].values())
    times = [line["timestamp"] for stream in streams for line in stream["events"]]
    if len(times) <= most:
        return []
    first = sorted(times)[-most]
    gone: list[dict[str, Any]] = []
    for stream in streams:
        gone += [line for line in stream["events"] if line["timestamp"] < first]
        stream["events"] = [line for line in stream["events"] if line["timestamp"] >= first]
    return gone
