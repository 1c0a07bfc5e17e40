"""Setup and teardown die at every call that changes something, before and after it."""

import random

import pytest

from setup_scripts.recover import tagged
from setup_scripts.steps import set_up, tear_down
from tests.functional.aws_account import Dead, aws_account, changes, context

pytestmark = pytest.mark.torture

SEED = 2
IN_THE_SLICE = 5


@pytest.fixture(autouse=True)
def account(monkeypatch):
    with aws_account(monkeypatch.delenv):
        yield


@pytest.fixture
def points(tmp_path, full_torture):
    """The numbers of the calls at which to die: all of a setup and a teardown, or some of them."""
    counted = context(tmp_path, {})
    set_up(counted)
    tear_down(counted)
    every = range(1, len(changes(counted)) + 1)
    return list(every) if full_torture else sorted(random.Random(SEED).sample(every, IN_THE_SLICE))


def run_and_die(work, dying, when, point):
    def check(number):
        if number == point:
            raise Dead

    setattr(dying.aws, when, check)
    try:
        work(dying)
    except Dead:
        pass


def assert_nothing_is_left(aws):
    assert tagged(aws) == []
    assert aws.s3.list_buckets()["Buckets"] == []
    assert aws.sqs.list_queues().get("QueueUrls", []) == []
    assert aws.dynamodb.list_tables()["TableNames"] == []
    assert aws.iam.list_roles()["Roles"] == []
    assert aws.functions.list_functions()["Functions"] == []
    assert aws.functions.list_event_source_mappings()["EventSourceMappings"] == []
    assert aws.logs.describe_log_groups()["logGroups"] == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_setup_is_continued_by_the_next_which_makes_nothing_twice(tmp_path, points, when):
    for point in points:
        shelf: dict[str, str] = {}
        run_and_die(set_up, context(tmp_path, shelf), when, point)

        set_up(context(tmp_path, shelf))

        settled = context(tmp_path, shelf)
        set_up(settled)
        assert changes(settled) == [], f"killed {when} call {point}"
        tear_down(settled)
        assert_nothing_is_left(settled.aws)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_setup_can_be_torn_down_and_so_can_a_killed_teardown(tmp_path, points, when):
    for point in points:
        shelf: dict[str, str] = {}
        run_and_die(set_up, context(tmp_path, shelf), when, point)
        run_and_die(tear_down, context(tmp_path, shelf), when, point)

        tear_down(last := context(tmp_path, shelf))

        assert_nothing_is_left(last.aws)
