"""Events as AWS sends them, kept in `tests/events/`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parent / "events"

#: The uploads bucket of every recorded event.
BUCKET = "image-uploads-bucket-20251017-fe41ce32"


def recorded(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))
    return event
