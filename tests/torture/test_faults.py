"""The deployed function on a network and services that fail: nothing is lost, and nothing is called bad that is not."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.images import jpeg, photo, truncated
from tests.torture.deployment import Tortured
from tests.torture.fault_proxy import fault_proxy, mixed
from tests.torture.results import Results

pytestmark = [pytest.mark.torture, pytest.mark.local_cloud]

GOOD = jpeg(photo((64, 48)), quality=95)
#: What is uploaded in turn, and how it must end.
KINDS = [
    (GOOD, "DONE"),
    (jpeg(photo((48, 64)), quality=95), "DONE"),
    (GOOD, "DONE"),
    (truncated(GOOD), "TRUNCATED_IMAGE"),
    (b"no picture", "INVALID_EXTENSION"),
]
SEED = 4


def upload(tortured: Tortured, folder: str, number: int) -> dict[str, str | None]:
    """So many objects of all kinds; returns how each has to end."""
    wanted: dict[str, str | None] = {}
    for index in range(number):
        data, outcome = KINDS[index % len(KINDS)]
        key = f"{folder}/{index:04}.jpg"
        tortured.upload(key, data)
        wanted[key] = outcome
    return wanted


@pytest.mark.timeout(3600)
def test_with_every_tenth_call_failing_all_images_are_done_or_failed_rightly(tortured, full_torture, results: Results):
    number, faults = (10_000 if full_torture else 40), Counter[str]()
    before = tortured.outcomes()
    with fault_proxy(tortured.deployment.cloud.port, mixed(0.1, SEED, faults), hurry=10) as address:
        tortured.work_through(address, visibility=60, function_timeout=30)
        wanted = before | upload(tortured, "tenth", number)
        tortured.wait_until_idle(timeout=3400 if full_torture else 150)
        dead = tortured.count("dead-letter-queue")

    assert tortured.wrongs(wanted) == []
    assert dead == 0
    results.say(seed=SEED, images=number, lost=0, dead_letters=dead, wrong=0, **faults)


@pytest.mark.timeout(3600)
def test_with_three_of_ten_calls_failing_one_redrive_finishes(tortured, full_torture, results: Results):
    number, faults = (2_000 if full_torture else 20), Counter[str]()
    before = tortured.outcomes()
    with fault_proxy(tortured.deployment.cloud.port, mixed(0.3, SEED, faults), hurry=20) as address:
        tortured.work_through(address, visibility=90, function_timeout=30)
        wanted = before | upload(tortured, "third", number)
        tortured.wait_until_idle(timeout=3000 if full_torture else 200)
    tortured.work_through(tortured.deployment.cloud.endpoint_url, visibility=60, function_timeout=30)
    dead = tortured.redrive()
    tortured.wait_until_idle(timeout=120)

    assert tortured.wrongs(wanted) == []
    assert tortured.count("dead-letter-queue") == 0
    results.say(seed=SEED, images=number, lost=0, dead_letters_redriven=dead, wrong=0, **faults)
