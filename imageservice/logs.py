"""One JSON object a line on stderr, as the functions log."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

from pipeline.settings import SettingsError

DEFAULT_LEVEL = "DEBUG"
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
#: What we log; a name below it belongs to one of our modules.
OURS = "imageservice"


def level(environ: Mapping[str, str]) -> str:
    """LEVEL, in capitals; SettingsError for a word that is none."""
    name = environ.get("LEVEL", "").strip().upper() or DEFAULT_LEVEL
    if name not in _LEVELS:
        raise SettingsError(f"LEVEL={name!r} is none of {', '.join(_LEVELS)}. Leave it out for {DEFAULT_LEVEL}.")
    return name


def log_as_json(level_name: str, stream: TextIO | None = None) -> None:
    """Everything of ours from `level_name` on, and warnings of libraries: boto3's own lines hold signed headers."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Json())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level_name)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "level": record.levelname,
            "message": record.getMessage(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "logger": record.name,
            "pid": os.getpid(),
            # What a log line is about: `logger.info("…", extra={"facts": {…}})`.
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)
