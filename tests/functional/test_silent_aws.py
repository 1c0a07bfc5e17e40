"""AWS that takes a call and then says nothing: a function gives up while it still has the time to say so."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest

from lambda_function.work import LEAST_TIME_MS, work_of
from setup_scripts.functions import COUNTING, GALLERY, Function
from tests.functional.gallery_on_moto import SETTINGS


def longest(config: Any) -> int:
    """Seconds of one call, with the most that botocore waits between its tries."""
    tries, silence = int(config.retries["total_max_attempts"]), int(config.read_timeout)
    return tries * silence + sum((1, 2, 4)[: tries - 1])


@pytest.mark.parametrize("function", [GALLERY, COUNTING], ids=lambda function: function.key)
def test_a_call_that_is_never_answered_ends_before_the_function(monkeypatch, function: Function):
    for name, value in SETTINGS.to_environment().items():
        monkeypatch.setenv(name, value)
    name = function.handler.rpartition(".")[0]
    sys.modules.pop(name, None)

    module: Any = importlib.import_module(name)

    assert longest(module.dynamodb.meta.config) < function.timeout


class Noted:
    """A session that makes no clients, and keeps what they were to be made with."""

    def __init__(self) -> None:
        self.configs: list[Any] = []

    def client(self, service: str, *, config: Any, **_: Any) -> None:
        self.configs.append(config)


def test_a_call_that_is_never_answered_ends_within_the_time_that_the_last_message_is_begun_with():
    session: Any = Noted()

    work_of(SETTINGS.to_environment(), session)

    assert [longest(config) * 1000 < LEAST_TIME_MS for config in session.configs] == [True, True]
