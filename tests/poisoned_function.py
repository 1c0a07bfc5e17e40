"""The function as Lambda runs it, in a process of its own, with a decoder that poison harms (tests/poison.py).

One event comes on stdin. A line that begins with ANSWER says the answer; one that is TAKEN, that poison is at work in
the function's own process. Beyond MEMORY it is killed, as Lambda does.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

from pipeline.images.child import Budget
from pipeline.images.isolate import transform_isolated
from pipeline.images.transform import Transformed
from pipeline.services import Services
from tests.poison import POISONS, transform_unless_poison

ANSWER, TAKEN = "answer: ", "poison is at work"
MEMORY = 1_792_000_000
CONTEXT = SimpleNamespace(
    function_name="ImageProcessingFunction",
    memory_limit_in_mb=1792,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:ImageProcessingFunction",
    aws_request_id="52fdfc07-2182-154f-163f-5f0f9a621d72",
    get_remaining_time_in_millis=lambda: 120_000,
)
#: Enough for a small picture, and little to wait for.
SMALL = Budget(cpu_seconds=1, seconds=30, memory=300_000_000)


def here(data, options, *, decoding) -> Transformed:
    if data in POISONS.values():
        # In one piece: another thread may be writing to the log meanwhile, and is stopped in the middle of it.
        os.write(sys.stdout.fileno(), f"{TAKEN}\n".encode())
    try:
        return transform_unless_poison(data, options, decoding=decoding)
    except MemoryError:
        os.kill(os.getpid(), signal.SIGKILL)
        raise


def main() -> None:
    # Made at its import, from its environment.
    from lambda_function import handler

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    isolated = partial(transform_isolated, work="tests.poison:transform_unless_poison", budget=SMALL)
    services: Any = replace(cast(Services, handler.work.services), transform=here, isolated=isolated)
    handler.work = replace(handler.work, services=services)
    answer = handler.lambda_handler(json.load(sys.stdin), CONTEXT)
    print(ANSWER + json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
