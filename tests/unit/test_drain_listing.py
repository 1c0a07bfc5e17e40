"""Listings that go over many pages, one of which may come damaged."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from bulk.drain.listing import Listing
from bulk.drain.selection import Selection
from bulk.drain.settings import Search
from pipeline.errors import RetryError

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class PagedS3:
    """A bucket of which each page is written down; `faults` meet the first calls, one each."""

    def __init__(self, pages, faults=()):
        self.pages, self.faults, self.asked = pages, list(faults), []

    def _page(self, position, **more):
        self.asked.append(position)
        if self.faults:
            raise self.faults.pop(0)
        last = position == len(self.pages) - 1
        return self.pages[position] | ({"IsTruncated": False} if last else {"IsTruncated": True, **more})

    def list_objects_v2(self, *, Bucket, Prefix, ContinuationToken="0"):
        position = int(ContinuationToken)
        return self._page(position, NextContinuationToken=str(position + 1))

    def list_object_versions(self, *, Bucket, Prefix, KeyMarker="", VersionIdMarker="0"):
        position = int(VersionIdMarker)
        return self._page(position, NextKeyMarker="k", NextVersionIdMarker=str(position + 1))


def entry(key, version=None, *, age=0, **more):
    named = {"VersionId": version, "IsLatest": more.pop("latest", False)} if version else {}
    return {"Key": key, "Size": 1, "ETag": '"e"', "LastModified": NOW - timedelta(hours=age), **named, **more}


def listing(pages, faults=(), slept=None):
    return Listing(PagedS3(pages, faults), "bucket", (slept if slept is not None else []).append)


def refused(status, code):
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "List")


def test_all_pages_are_listed():
    pages = [{"Contents": [entry("a"), entry("b")]}, {}, {"Contents": [entry("c")]}]

    assert [one.key for one in listing(pages).objects("")] == ["a", "b", "c"]


def test_the_versions_of_a_key_come_together_from_the_oldest_on_though_pages_part_them():
    pages = [
        {"Versions": [entry("a", "3", age=1, latest=True), entry("a", "2", age=2)]},
        {"DeleteMarkers": [entry("a", "marker", age=3)], "Versions": [entry("a", "1", age=4), entry("b", "9", age=9)]},
    ]

    works = [[one.version_id for one in versions] for versions in listing(pages).versions("")]

    assert works == [["1", "marker", "2", "3"], ["9"]]


def test_a_page_that_does_not_come_is_asked_for_again():
    slept: list[float] = []
    broken = [EndpointConnectionError(endpoint_url="http://s3")] * 2

    found = listing([{"Contents": [entry("a")]}], broken, slept)

    assert [one.key for one in found.objects("")] == ["a"]
    assert slept == [1, 2]


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (500, "InternalError"), (400, "Throttling")])
def test_a_service_that_has_no_time_for_a_page_is_given_minutes(status, code):
    slept: list[float] = []

    found = listing([{"Contents": [entry("a")]}], [refused(status, code)] * 8, slept)

    assert [one.key for one in found.objects("")] == ["a"]
    assert slept == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_run_that_is_to_stop_waits_for_no_page():
    stop, s3 = threading.Event(), PagedS3([{}], [refused(503, "SlowDown")] * 2)
    stop.set()

    with pytest.raises(RetryError):
        list(Listing(s3, "bucket", stop.wait).objects(""))

    assert len(s3.asked) == 1


@pytest.mark.parametrize(
    "faults",
    [
        [EndpointConnectionError(endpoint_url="http://s3")] * 9,
        [refused(403, "AccessDenied")],
        [refused(501, "NotImplemented")],
    ],
)
def test_one_that_never_comes_or_is_refused_ends_the_listing(faults):
    with pytest.raises(RetryError):
        list(listing([{"Contents": [entry("a")]}], faults).objects(""))


def test_only_objects_that_are_old_enough_are_chosen_and_nothing_of_the_quarantine():
    pages = [{"Contents": [entry("old", age=2), entry("quarantine/old", age=2), entry("young", age=0)]}]
    selection = Selection(
        listing=listing(pages), search=Search.of("*"), versions=False,
        newest=NOW - timedelta(hours=1), but_below="quarantine/",
    )  # fmt: skip

    assert [one.key for [one] in selection] == ["old"]
    assert selection.count() == (1, 1)
