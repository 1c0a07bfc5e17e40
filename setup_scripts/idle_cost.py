"""What a deployment costs while nothing happens, by name."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from cli.cost import IDLE_POLLS, PRICES, Line, dollars
from setup_scripts.alarms import Watched, alarms
from setup_scripts.create_image_service import WANTED as IMAGE_SERVICE
from setup_scripts.functions import FUNCTIONS, GALLERY
from setup_scripts.switches import ALARMS, SNAPSTART

#: What AWS gives every account each month for nothing, of these.
FREE = "a million requests, ten alarms and three dashboards of an account are free"
_SECONDS = Decimal(30 * 24 * 3600)


def idle_lines(resources: Mapping[str, str]) -> tuple[Line, ...]:
    """A line for each thing that costs although nobody uses it; `resources` as the state keeps them."""
    queues = 2 if IMAGE_SERVICE in resources else 1
    asking = Line("Lambda asking for messages", f"{queues} queues", queues * IDLE_POLLS * PRICES["SQS requests"])
    return (asking, *_watching(resources), *_snapshot(resources))


def idle_note(resources: Mapping[str, str]) -> str:
    """All lines in one sentence."""
    lines = idle_lines(resources)
    named = ", ".join(f"{dollars(line.dollars)} for {line.what}" for line in lines)
    total = dollars(sum((line.dollars for line in lines), Decimal(0)))
    return f"while nothing happens a month costs at most {total} ({named}; {FREE}) and what is stored"


def _watching(resources: Mapping[str, str]) -> tuple[Line, ...]:
    if not ALARMS.is_on(resources):
        return ()
    queues, functions = (2, len(FUNCTIONS) + 1) if IMAGE_SERVICE in resources else (1, len(FUNCTIONS))
    watched = Watched(queues=dict.fromkeys(map(str, range(queues)), ("", "")), functions=("",) * functions)
    count = len(list(alarms("", watched)))
    return (
        Line(f"{count} alarms", "--no-alarms", count * PRICES["Alarm, month"]),
        Line("a dashboard", "--no-alarms", PRICES["Dashboard, month"]),
    )


def _snapshot(resources: Mapping[str, str]) -> tuple[Line, ...]:
    if not SNAPSTART.is_on(resources):
        return ()
    kept = Decimal(GALLERY.memory) / 1024 * _SECONDS * PRICES["Lambda, GB-second of a snapshot"]
    return (Line("a snapshot", "--no-snapstart", kept),)
