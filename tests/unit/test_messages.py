import json

import pytest

from pipeline.errors import Code, RejectError, SkipError
from pipeline.images.options import THUMBNAIL
from pipeline.job import OutputWanted, S3Source
from pipeline.messages import Message, Uploads, decode
from tests.recorded import BUCKET, recorded

UPLOADS = Uploads(BUCKET, (OutputWanted("thumbnail", THUMBNAIL, "outputs", "thumbnails"),))


def keys_of(body) -> list[str]:
    text = body if isinstance(body, str) else json.dumps(body)
    return [job.source.key for job in decode(Message(text, "id"), UPLOADS)]


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("s3_put", ["statue_small.jpg"]),
        ("s3_post", ["statue_small.jpg"]),
        ("s3_copy", ["statue_small.jpg"]),
        ("s3_complete_multipart_upload", ["statue_small.jpg"]),
        ("s3_delete", ["statue_small.jpg"]),
        ("s3_delete_marker_created", ["statue_small.jpg"]),
        ("s3_lifecycle_expiration", ["statue_small.jpg"]),
        ("s3_lifecycle_expiration_permanent", ["statue_small.jpg"]),
        ("s3_restore_completed", ["statue_small.jpg"]),
        ("s3_put_version_2_5", ["statue_small.jpg"]),
        ("s3_put_encoded_key", ["viajes/été + 100%.jpg"]),
        ("s3_several_records", ["a.jpg", "b c.png", "old_image.jpg"]),
        ("s3_through_sns", ["b c.png"]),
        ("eventbridge_object_created", ["b+c 100%.png"]),
        ("eventbridge_object_deleted", ["old_image.jpg"]),
        ("eventbridge_object_expired", ["old_image.jpg"]),
        ("eventbridge_object_restored", ["old_image.jpg"]),
    ],
)
def test_every_shape_that_aws_sends_names_its_objects(name, keys):
    assert keys_of(recorded(name)) == keys


@pytest.mark.parametrize("name", ["s3_test_event", "s3_test_event_through_sns", "s3_tagging"])
def test_what_asks_for_nothing_is_skipped(name):
    with pytest.raises(SkipError):
        keys_of(recorded(name))


def test_our_own_message_is_not_url_decoded():
    body = {"bucket_name": BUCKET, "image_key": "a+b%20c.jpg"}

    assert keys_of(body) == ["a+b%20c.jpg"]


def test_the_message_inside_lambdas_envelope_is_ours():
    record = recorded("sqs_envelope")["Records"][0]

    [job] = decode(Message(record["body"], record["messageId"], deliveries=3), UPLOADS)

    assert job.source == S3Source(BUCKET, "statue_small.jpg")
    assert (job.deliveries, job.force) == (3, False)
    assert job.outputs == UPLOADS.outputs


def test_force_is_taken_from_our_own_message_only_when_it_is_true():
    body = {"bucket_name": BUCKET, "image_key": "a.jpg"}

    forced = [
        decode(Message(json.dumps(body | {"force": value}), "id"), UPLOADS)[0].force for value in (True, "yes", 1)
    ]

    assert forced == [True, False, False]


def test_an_object_that_is_named_twice_is_one_job():
    event = recorded("s3_put")
    event["Records"] *= 3

    assert keys_of(event) == ["statue_small.jpg"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not JSON",
        "[]",
        "null",
        '"Records"',
        "{}",
        "[" * 100_000,
        {"Records": "none"},
        {"Records": [None]},
        {"Records": [{"eventName": 7}]},
        {"Records": [{"eventName": "ObjectCreated:Put"}]},
        {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}, "object": {"key": 5}}}]},
        {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": BUCKET}, "object": {"key": "%FF"}}}]},
        {"bucket_name": BUCKET, "image_key": ""},
        {"bucket_name": BUCKET, "image_key": None},
        {"bucket_name": BUCKET, "image_key": "\ud800.jpg"},
        {"bucket_name": BUCKET, "image_key": "a" * 1025},
        {"image_key": "a.jpg"},
        {"source": "aws.s3", "detail-type": "Object Created", "detail": []},
        {"Type": "Notification", "Message": json.dumps({"Type": "Notification", "Message": "{}"})},
    ],
)
def test_a_message_of_no_known_shape_is_refused_for_ever(body):
    with pytest.raises(RejectError) as refused:
        keys_of(body)

    assert refused.value.code is Code.INVALID_MESSAGE


def test_a_message_about_another_bucket_is_refused_as_a_whole():
    event = recorded("s3_several_records")
    event["Records"][1]["s3"]["bucket"]["name"] = "somebody-elses"

    with pytest.raises(RejectError, match="somebody-elses") as refused:
        keys_of(event)

    assert refused.value.code is Code.FOREIGN_BUCKET
