import json
from typing import Any, cast

import pytest

from cli.log_lines import log_lines, pattern


class Logs:
    """A log group in two pages, whose filter lets everything pass."""

    def __init__(self, *messages: str) -> None:
        events = [{"timestamp": number, "message": message} for number, message in enumerate(messages)]
        self.pages = [{"events": events[1:]}, {"events": events[:1]}]
        self.asked: dict[str, str] = {}

    def get_paginator(self, operation):
        assert operation == "filter_log_events"
        return self

    def paginate(self, **request):
        self.asked = request
        return self.pages


def line(key, outcome):
    return json.dumps({"key": key, "outcome": outcome})


def test_the_lines_of_one_image_come_in_their_order_and_no_others():
    logs = Logs(line("a.jpg", "RETRY"), "START RequestId: 1", line("a.jpg.png", "DONE"), "[1]", line("a.jpg", "DONE"))

    found = log_lines(cast(Any, logs), "/aws/lambda/F", "a.jpg")

    assert [entry["outcome"] for entry in found] == ["RETRY", "DONE"]
    assert logs.asked["logGroupName"] == "/aws/lambda/F"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("trip/a_1.jpg", '{ $.key = "trip/a_1.jpg" }'),
        ("playa en oto\u00f1o.jpg", '{ $.key = "playa en oto*" }'),
        ('a"b.jpg', '{ $.key = "a*" }'),
        ("a*b.jpg", '{ $.key = "a*" }'),
        ("a\\b.jpg", '{ $.key = "a*" }'),
        ("\n", '{ $.key = "*" }'),
    ],
)
def test_what_means_something_to_the_filter_is_left_to_a_wildcard(key, expected):
    assert pattern(key) == expected


def test_the_longest_key_makes_no_pattern_that_is_too_long():
    assert len(pattern("k" * 1024)) <= 1024
