"""Old lines are let go of while functions go on writing."""

import threading
from types import SimpleNamespace
from typing import Any

from local_cloud.old_logs import forget


def test_lines_that_functions_have_printed_go_too_although_they_have_no_id():
    printed = {"events": [{"timestamp": number} for number in range(100)]}
    put = {"events": [{"timestamp": number, "eventId": str(number)} for number in range(100)]}
    logs = SimpleNamespace(
        _log_events_lock=threading.Lock(),
        _log_groups=SimpleNamespace(all_values=lambda: [{"streams": {"printed": printed, "put": put}}]),
        _log_records={str(number): {} for number in range(100)},
    )

    forget(logs, most=50)

    assert [line["timestamp"] for line in printed["events"]] == list(range(75, 100))
    assert list(logs._log_records) == [str(number) for number in range(75, 100)]


def test_streams_that_are_made_meanwhile_disturb_nothing():
    streams: dict[str, Any] = {}
    group = {"streams": streams}
    logs = SimpleNamespace(
        _log_events_lock=threading.Lock(),
        _log_groups=SimpleNamespace(all_values=lambda: [group]),
        _log_records={},
    )
    done = threading.Event()

    def write():
        for number in range(20_000):
            streams[str(number)] = {"events": [{"timestamp": number, "eventId": str(number)}]}
        done.set()

    threading.Thread(target=write).start()
    while not done.is_set():
        forget(logs, most=50)
    forget(logs, most=50)

    assert sum(len(stream["events"]) for stream in streams.values()) == 50
    assert len(streams) == 20_000
