import hashlib
import json
from base64 import b64encode
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from cli.connection import Connection
from cli.exits import CommandError, Exit, explain
from cli.state import PlainShelf
from setup_scripts.folder import LocalImage
from setup_scripts.following import records
from setup_scripts.originals import Originals, originals
from setup_scripts.results import ImageResult, print_results
from setup_scripts.sending import Sender, Way
from setup_scripts.upload import Upload
from tests.functional.aws_account import changes
from tests.unheard import unheard

JPEG = b"\xff\xd8\xff\xe0 not much of a picture"


@pytest.fixture
def sender(made):
    return Sender(made.aws, made.resources["images-bucket"], made.resources["messages-queue"])


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "pictures" / "sub" / "été + 1%.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(JPEG)
    return LocalImage("sub/été + 1%.jpg", path, "image/jpeg")


def record_of(sent, processed_at="t1"):
    return {"ImageID": sent.key, "ETag": sent.etag, "VersionId": sent.version_id, "ProcessedAt": processed_at}


def messages(made):
    answer = made.aws.sqs.receive_message(QueueUrl=made.resources["messages-queue"], MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def test_a_new_image_is_uploaded_under_its_path_with_its_content_type(made, sender, image):
    sent = sender.send(image, None, force=False)

    answer = made.aws.s3.get_object(Bucket=sender.bucket, Key="sub/été + 1%.jpg")
    assert (answer["Body"].read(), answer["ContentType"]) == (JPEG, "image/jpeg")
    assert (sent.way, sent.etag, sent.version_id) == (
        Way.UPLOADED,
        hashlib.md5(JPEG).hexdigest(),
        answer["VersionId"],
    )


def test_an_unchanged_image_that_has_its_record_is_left_alone(made, sender, image):
    sent = sender.send(image, None, force=False)
    changes(made).clear()

    assert sender.send(image, record_of(sent), force=False).way is Way.UNCHANGED
    assert changes(made) == []


def test_an_unchanged_image_without_its_record_is_announced_again(made, sender, image):
    sender.send(image, None, force=False)
    changes(made).clear()

    assert sender.send(image, None, force=False).way is Way.ANNOUNCED
    assert changes(made) == ["SendMessage"]
    assert messages(made) == [{"bucket_name": sender.bucket, "image_key": "sub/été + 1%.jpg"}]


def test_the_record_of_an_older_version_does_not_count(made, sender, image):
    sent = sender.send(image, None, force=False)

    assert sender.send(image, {**record_of(sent), "VersionId": "older"}, force=False).way is Way.ANNOUNCED


def test_a_changed_image_is_uploaded_again(made, sender, image):
    sent = sender.send(image, None, force=False)
    image.path.write_bytes(JPEG.replace(b"much", b"more"))

    assert sender.send(image, record_of(sent), force=False).way is Way.UPLOADED


def test_force_asks_for_a_new_record_of_the_same_object(made, sender, image):
    done = record_of(sender.send(image, None, force=False))

    sent = sender.send(image, done, force=True)

    assert sent.way is Way.ANNOUNCED
    assert messages(made)[0]["force"] is True
    assert not sent.is_answered_by(done)
    assert sent.is_answered_by({**done, "ProcessedAt": "t2"})


@pytest.fixture
def upload(made, sender):
    return Upload(made.aws, sender, made.resources["dynamodb-table"], force=False)


def test_an_upload_before_setup_has_connected_bucket_and_function_names_the_cure(made, tmp_path):
    connection = Connection(
        target=made.aws.target, aws=made.aws, shelf=PlainShelf({}), resources=made.resources, home=tmp_path
    )

    with pytest.raises(CommandError, match="setup has not come to event-source-uuid yet: run `python setup.py` first"):
        Upload.of(connection, force=False)
    made.resources["event-source-uuid"] = "…"

    assert Upload.of(connection, force=False).table == made.resources["dynamodb-table"]


def test_one_bad_file_does_not_stop_the_others(upload, image, tmp_path):
    folder = tmp_path / "pictures"
    long = folder / ("d" * 200) / ("e" * 200) / ("f" * 200) / ("g" * 200) / ("h" * 200) / ("i" * 60 + ".jpg")
    long.parent.mkdir(parents=True)
    long.write_bytes(JPEG)

    results = upload.upload(folder, wait=False)

    outcomes = {result.image: result.outcome for result in results}
    assert outcomes == {"sub/été + 1%.jpg": "SENT", long.relative_to(folder).as_posix(): "NOT SENT"}
    assert "1024 bytes" in next(result.reason for result in results if result.is_failed)


def test_a_file_too_large_for_one_request_is_told_and_the_others_go(upload, image, tmp_path):
    with (tmp_path / "pictures" / "huge.tif").open("wb") as file:
        file.truncate(6 * 1024**3)

    results = upload.upload(tmp_path / "pictures", wait=False)

    assert {result.image: result.outcome for result in results} == {image.key: "SENT", "huge.tif": "NOT SENT"}
    assert "6,442,450,944 bytes" in next(result.reason for result in results if result.is_failed)


def test_s3_is_told_what_was_read_so_that_it_refuses_a_file_that_changed_meanwhile(made, sender, image):
    sent = []
    made.aws.s3.meta.events.register("before-call.s3.HeadObject", lambda **_: image.path.write_bytes(b"other") and None)
    made.aws.s3.meta.events.register(
        "before-call.s3.PutObject", lambda params, **_: sent.append(params["headers"]["Content-MD5"])
    )

    sender.send(image, None, force=False)

    assert sent == [b64encode(hashlib.md5(JPEG).digest()).decode()]


@pytest.mark.parametrize(("status", "code"), [(403, "403"), (400, "400")])
def test_credentials_that_s3_refuses_at_a_look_end_the_whole_and_not_one_image_after_the_other(
    made, upload, image, status, code
):
    """S3 answers HEAD without a body: only the status tells."""
    answer = SimpleNamespace(status_code=status), {"Error": {"Code": code, "Message": "Forbidden"}}
    made.aws.s3.meta.events.register("before-call.s3.HeadObject", lambda **_: answer)

    with pytest.raises(ClientError) as refused:
        upload.upload(image.path.parent.parent, wait=False)

    assert explain(refused.value).exit_code is Exit.REFUSED
    assert changes(made) == []


def test_a_file_name_that_is_no_text_is_told(upload, tmp_path):
    folder = tmp_path / "odd"
    folder.mkdir()
    try:
        (folder / b"caf\xe9.jpg".decode("utf-8", "surrogateescape")).write_bytes(JPEG)
    except OSError:
        pytest.skip("this file system takes no such name")

    (result,) = upload.upload(folder, wait=False)

    assert result.is_failed


def test_messages_for_all_objects_reach_also_those_that_no_folder_has(made, upload, sender):
    made.aws.s3.put_object(Bucket=sender.bucket, Key="elsewhere.jpg", Body=JPEG)

    (result,) = upload.announce_all(None, wait=False)

    assert (result.image, result.outcome) == ("elsewhere.jpg", "SENT")
    assert {"bucket_name": sender.bucket, "image_key": "elsewhere.jpg", "force": True} in messages(made)


def test_more_records_than_one_request_takes_are_read(made):
    table = made.resources["dynamodb-table"]
    keys = [f"{number}.jpg" for number in range(230)]
    for key in keys[:-1]:
        made.aws.dynamodb.put_item(TableName=table, Item={"ImageID": {"S": key}, "ETag": {"S": "e"}})

    found = records(made.aws, table, keys)

    assert list(found) and found.keys() == set(keys[:-1])


def test_originals_are_what_the_samples_cannot_bring_back(made, tmp_path):
    samples = tmp_path / "img"
    samples.mkdir()
    (samples / "same.jpg").write_bytes(b"same")
    (samples / "other.jpg").write_bytes(b"1234")
    bucket = made.resources["images-bucket"]
    contents = {"same.jpg": b"same", "other.jpg": b"4321", "mine.jpg": b"123456", "../x": b"1", "a\x00b": b"2"}
    for key, data in contents.items():
        made.aws.s3.put_object(Bucket=bucket, Key=key, Body=data)

    assert originals(made.aws.s3, bucket, samples) == Originals(count=4, bytes=12)


def test_a_result_reads_a_record():
    from decimal import Decimal

    item = {
        "Outcome": "DONE",
        "OriginalBytes": Decimal(100),
        "CompressedBytes": Decimal(60),
        "SavedPercent": Decimal("40.0"),
    }

    result = ImageResult.from_record("a.jpg", Way.UPLOADED, item)

    assert (result.bytes_before, result.bytes_after, result.saved_percent) == (100, 60, 40.0)
    assert not result.is_failed


@pytest.mark.parametrize("as_json", [True, False])
def test_a_reader_who_has_gone_does_not_hide_what_failed(capsys, as_json):
    with unheard():
        print_results([ImageResult(image="a.jpg", outcome="FAILED", code="CORRUPT_FILE")] * 2, as_json=as_json)

    assert "2 images, 2 failed" in capsys.readouterr().err
