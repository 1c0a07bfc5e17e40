"""Twenty thousand real messages through the deployed function: all are done, and the memory stays as it is.

TORTURE_MESSAGES lets a full run take fewer, for a machine or a day that has no time for all.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import pytest

from local_cloud.lock import holder
from tests.images import jpeg, photo
from tests.torture.deployment import Tortured
from tests.torture.function_processes import function_processes
from tests.torture.memory import FLAT, Memory
from tests.torture.results import Results

pytestmark = [pytest.mark.torture, pytest.mark.local_cloud, pytest.mark.timeout(3600)]

KEYS = 200
#: Messages that wait in the queue at most: sending goes on as they are worked off.
MOST_WAITING = 200


def test_many_messages_are_done_in_memory_that_stays_flat(tortured, full_torture, results: Results):
    number = int(os.environ.get("TORTURE_MESSAGES", 20_000)) if full_torture else 100
    before, function, server = tortured.outcomes(), Memory(), Memory()
    tortured.work_through(tortured.deployment.cloud.endpoint_url, visibility=240, function_timeout=40)
    keys = [f"many/{index:03}.jpg" for index in range(min(KEYS, number))]
    for index, key in enumerate(keys):
        tortured.upload(key, jpeg(photo((32 + index % 8, 24)), quality=85))
    tortured.wait_until_idle(timeout=600)
    lock = tortured.deployment.cloud.home / ".local_cloud" / "server.lock"
    started = time.monotonic()

    for first in range(0, number, 10):
        _send(tortured, [keys[index % len(keys)] for index in range(first, min(number, first + 10))])
        while tortured.visible("messages-queue") > MOST_WAITING:
            time.sleep(0.1)
        if first % 100 == 0:
            function.see(*function_processes(tortured.deployment.cloud))
            server.see(holder(lock).pid)
    tortured.wait_until_idle(timeout=600)

    assert tortured.wrongs(before | dict.fromkeys(keys, "DONE")) == []
    assert tortured.count("dead-letter-queue") == 0
    assert function.growth() <= FLAT or not full_torture
    # It keeps 5,000 lines of each function, which come together in the first quarter.
    assert server.growth() <= 2 * FLAT or not full_torture
    results.say(
        messages=number,
        lost=0,
        messages_each_second=round(number / (time.monotonic() - started), 1),
        memory_of_function=function.figures(),
        memory_of_local_cloud=server.figures(),
    )


def _send(tortured: Tortured, keys: list[str]) -> None:
    """Messages that let the function make all of it again."""
    bodies = [{"bucket_name": tortured.names["images-bucket"], "image_key": key, "force": True} for key in keys]
    entries: Any = [{"Id": str(index), "MessageBody": json.dumps(body)} for index, body in enumerate(bodies)]
    answer = tortured.client("sqs").send_message_batch(QueueUrl=tortured.names["messages-queue"], Entries=entries)
    assert not answer.get("Failed")
