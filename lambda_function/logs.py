"""The logger of a function: one JSON object a line."""

from __future__ import annotations

import json
from functools import partial

from aws_lambda_powertools import Logger

from pipeline.version import release

#: In ASCII, which Powertools' own is not: keys and errors may hold characters that end a line (U+0085, U+2028) or steer
#: a terminal (U+009B) although JSON allows them as they are.
_as_json = partial(json.dumps, default=str, separators=(",", ":"))


def function_logger(service: str) -> Logger:
    return Logger(service=service, version=release(), json_serializer=_as_json)
