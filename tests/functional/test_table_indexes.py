"""A table that an older version made: setup gives it today's indexes, and its items stay."""

import pytest

from setup_scripts import create_dynamodb_table
from setup_scripts.create_dynamodb_table import schema
from setup_scripts.lookup import tag_list
from tests.functional.aws_account import changes, context

pytestmark = pytest.mark.usefixtures("account")

ITEM = {"ImageID": {"S": "a.jpg"}, "Feed": {"S": "1"}, "ProcessedAt": {"S": "2026-01-01"}, "Note": {"S": "mine"}}


def made_by_an_older_version(made, **differences):
    """A table with one item; `differences` from today's schema."""
    wanted = {**schema(), **differences}
    made.aws.dynamodb.create_table(TableName="ImageMetadata", Tags=tag_list(made.tags), **wanted)
    made.aws.dynamodb.put_item(TableName="ImageMetadata", Item=ITEM)


def indexes(made):
    table = made.aws.dynamodb.describe_table(TableName="ImageMetadata")["Table"]
    return {index["IndexName"]: index["Projection"] for index in table["GlobalSecondaryIndexes"]}


def newest(made):
    found = made.aws.dynamodb.query(
        TableName="ImageMetadata",
        IndexName="Newest",
        KeyConditionExpression="Feed = :feed",
        ExpressionAttributeValues={":feed": {"S": "1"}},
    )
    return [item["ImageID"]["S"] for item in found["Items"]]


def today():
    return {index["IndexName"]: index["Projection"] for index in schema()["GlobalSecondaryIndexes"]}


def fewer():
    return schema()["GlobalSecondaryIndexes"][1:]


def smaller():
    first, *others = schema()["GlobalSecondaryIndexes"]
    return [{**first, "Projection": {"ProjectionType": "KEYS_ONLY"}}, *others]


@pytest.mark.parametrize(("older", "calls"), [(fewer, 1), (smaller, 2)])
def test_indexes_of_an_older_version_become_those_of_today(tmp_path, older, calls):
    made = context(tmp_path, {})
    made_by_an_older_version(made, GlobalSecondaryIndexes=older())

    create_dynamodb_table.create(made)

    assert changes(made).count("UpdateTable") == calls
    assert indexes(made) == today()
    assert newest(made) == ["a.jpg"]
    assert made.aws.dynamodb.get_item(TableName="ImageMetadata", Key={"ImageID": {"S": "a.jpg"}})["Item"] == ITEM
    create_dynamodb_table.create(again := context(tmp_path, {}))
    assert changes(again) == []


def test_an_index_that_is_still_being_filled_is_waited_for(tmp_path):
    made = context(tmp_path, {})
    made_by_an_older_version(made)
    asked: list[int] = []

    def fill(http_response, parsed, **_):
        asked.append(len(asked))
        for index in parsed["Table"]["GlobalSecondaryIndexes"]:
            index["IndexStatus"] = "CREATING" if len(asked) < 10 else "ACTIVE"

    made.aws.dynamodb.meta.events.register("after-call.dynamodb.DescribeTable", fill)

    create_dynamodb_table.create(made)

    assert len(asked) >= 10
    assert "UpdateTable" not in changes(made)
