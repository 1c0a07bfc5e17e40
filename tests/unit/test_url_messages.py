import json

import pytest

from pipeline.errors import Code, RejectError, SkipError
from pipeline.image_service.messages import MOST_NESTED, Images, decode_urls
from pipeline.images.options import OutputOptions
from pipeline.messages import Message

IMAGES = Images("images-ch", "images-resized", (("50x50", OutputOptions(fit=(50, 50))),))
MESSAGE = {
    "image_url": "http://images.example/a.jpg",
    "itunes_image": "http://images.example/b.jpg",
    "bucket_name": "Test Bucket",
    "redirect_queue": "ChannelImages",
    "postback_url": "http://callback.example/postback",
}
SECRET = "http://callback.example/?token=s3cret"


def decoded(body, *, message_id="id", **options):
    text = body if isinstance(body, str) else json.dumps(body)
    [job] = decode_urls(Message(text, message_id, **options), IMAGES)
    return job


def refusal(body):
    with pytest.raises(RejectError) as refused:
        decoded(body)
    assert refused.value.code is Code.INVALID_MESSAGE
    return refused.value.reason


def test_the_printed_message_is_one_job_with_two_images_and_one_reply():
    job = decoded(MESSAGE, deliveries=3)

    assert [(source.field, source.url) for source in job.sources] == [
        ("image_url", "http://images.example/a.jpg"),
        ("itunes_image", "http://images.example/b.jpg"),
    ]
    assert (job.reply.redirect_queue, job.reply.postback_url) == ("ChannelImages", "http://callback.example/postback")
    assert [(wanted.name, wanted.bucket, wanted.folder) for wanted in job.outputs] == [
        ("50x50", "images-ch", "images-resized/Test Bucket")
    ]
    assert job.deliveries == 3


def test_every_field_is_kept_for_the_reply_as_it_came():
    extra = {"_id": "5f1", "nested": {"deep": [1, 2.5, None, True]}, "ünïcode": "\U0001f600", "big": 2**70}

    assert decoded({**MESSAGE, **extra}).reply.fields == {**MESSAGE, **extra}


@pytest.mark.parametrize("nothing", ["N/A", "", " ", None])
@pytest.mark.parametrize("field", ["image_url", "itunes_image"])
def test_one_image_is_enough(field, nothing):
    job = decoded({**MESSAGE, field: nothing})

    assert [source.field for source in job.sources] == [{"image_url": "itunes_image"}.get(field, "image_url")]
    assert job.reply.fields[field] == nothing


@pytest.mark.parametrize("field", ["redirect_queue", "postback_url"])
def test_one_to_be_told_is_enough(field):
    told = decoded({name: value for name, value in MESSAGE.items() if name != field}).reply

    assert getattr(told, field) is None


@pytest.mark.parametrize("fields", [("image_url", "itunes_image"), ("redirect_queue", "postback_url")])
def test_without_an_image_or_without_anybody_to_tell_nothing_is_done(fields):
    with pytest.raises(SkipError, match=f"neither {fields[0]} nor {fields[1]}"):
        decoded({name: value for name, value in MESSAGE.items() if name not in fields})


def test_without_a_bucket_name_the_images_lie_right_below_the_prefix():
    body = {name: value for name, value in MESSAGE.items() if name != "bucket_name"}

    assert decoded(body).outputs[0].folder == "images-resized"


@pytest.mark.parametrize("name", ["a/b", "..", ".", "a\nb", "a\x7fb", "x" * 1000])
def test_a_bucket_name_that_is_no_name_of_a_folder_is_refused(name):
    assert "bucket_name" in refusal({**MESSAGE, "bucket_name": name})


def nested(depth):
    """A message of ours, with lists in it that make it so deep."""
    return json.dumps(MESSAGE)[:-1] + f', "deep": {"[" * (depth - 1)}{"]" * (depth - 1)}}}'


def test_what_is_nested_as_deep_as_is_allowed_is_kept_for_the_reply():
    assert decoded(nested(MOST_NESTED)).reply.fields == json.loads(nested(MOST_NESTED))


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[1]",
        '"text"',
        '{"image_url": NaN}',
        '{"n": 1e999}',
        '{"half": "\\ud800"}',
        '{"image_url": "http://a.example", "image_url": "http://b.example"}',
        nested(MOST_NESTED + 1),
        nested(200_000),
    ],
)
def test_what_could_not_be_said_again_as_it_came_is_refused(text):
    assert "JSON" in refusal(text)


@pytest.mark.parametrize("field", MESSAGE)
@pytest.mark.parametrize("value", [5, True, ["http://images.example/a.jpg"], {"url": "x"}])
def test_a_field_of_ours_that_is_no_text_is_refused(field, value):
    assert field in refusal({**MESSAGE, field: value})


@pytest.mark.parametrize("body", [json.dumps(SECRET), json.dumps([SECRET]), {**MESSAGE, "postback_url": [SECRET]}])
def test_no_url_of_a_message_is_told_where_that_is_refused(body):
    assert "s3cret" not in refusal(body)


def test_the_id_of_the_reply_belongs_to_the_message_and_to_its_text():
    first = decoded(MESSAGE).reply.id

    assert first == decoded(MESSAGE, deliveries=4).reply.id
    assert first != decoded(MESSAGE, message_id="another").reply.id
    assert first != decoded({**MESSAGE, "extra": 1}).reply.id
    assert len(first) <= 128 and first.startswith("msg_")
