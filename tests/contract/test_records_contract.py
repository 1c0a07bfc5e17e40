from dataclasses import replace

import pytest

from tests.contract.conftest import ON_AWS_ENGINES
from tests.odd_keys import ODD_KEYS
from tests.unit.test_records import DONE, FAILED


def test_a_record_is_read_as_it_was_written(records):
    assert records.put(DONE, replacing=None)
    assert records.put(FAILED, replacing=None)

    assert records.get(DONE.image_id) == DONE
    assert records.get(FAILED.image_id) == FAILED
    assert records.get("never") is None


def test_a_write_over_another_record_than_the_one_read_is_refused(records):
    newer = replace(DONE, processed_at="2026-01-01T00:00:01.000000Z", version_id="v2")
    records.put(DONE, replacing=None)

    assert not records.put(newer, replacing=None)
    assert not records.put(newer, replacing=replace(DONE, version_id="v0"))
    assert records.get(DONE.image_id) == DONE

    assert records.put(newer, replacing=DONE)
    assert records.get(DONE.image_id) == newer


def test_a_failed_record_leaves_nothing_of_the_done_one_before(records):
    failed = replace(FAILED, image_id=DONE.image_id)
    records.put(DONE, replacing=None)

    assert records.put(failed, replacing=DONE)

    assert records.get(DONE.image_id) == failed


def test_only_the_record_that_was_read_is_deleted(records):
    records.put(DONE, replacing=None)

    assert not records.delete(replace(DONE, etag="another"))
    assert records.get(DONE.image_id) == DONE
    assert records.delete(DONE)
    assert records.get(DONE.image_id) is None
    assert not records.delete(DONE)


@ON_AWS_ENGINES
def test_a_note_of_the_user_survives_every_write(records, clients):
    records.put(DONE, replacing=None)
    clients["dynamodb"].execute_statement(
        Statement=f"UPDATE \"{records._table_name}\" SET Note = 'mine' WHERE ImageID = '{DONE.image_id}'"
    )

    assert records.put(replace(FAILED, image_id=DONE.image_id), replacing=DONE)

    item = clients["dynamodb"].get_item(TableName=records._table_name, Key={"ImageID": {"S": DONE.image_id}})["Item"]
    assert item["Note"] == {"S": "mine"} and item["Outcome"] == {"S": "FAILED"}


def test_odd_keys_have_records_of_their_own(records):
    for key in ODD_KEYS:
        assert records.put(replace(DONE, image_id=key), replacing=None)

    assert [records.get(key).image_id for key in ODD_KEYS] == list(ODD_KEYS)


@ON_AWS_ENGINES
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ETag", {"NULL": True}),
        ("VersionId", {"NULL": True}),
        ("ProcessedAt", {"N": "1.5"}),
        ("ETag", {"SS": ["a", "b"]}),
        ("ETag", None),
        ("OptionsHash", None),
        ("Outputs", None),
    ],
)
def test_whatever_a_user_made_of_a_record_it_can_be_replaced_and_deleted(records, clients, name, value):
    values = {"ExpressionAttributeValues": {":value": value}} if value else {}
    for act in (lambda read: records.put(DONE, replacing=read), records.delete):
        records.put(DONE, replacing=records.get(DONE.image_id))
        clients["dynamodb"].update_item(
            TableName=records._table_name,
            Key={"ImageID": {"S": DONE.image_id}},
            UpdateExpression=f"SET {name} = :value" if value else f"REMOVE {name}",
            **values,
        )

        assert act(records.get(DONE.image_id))
