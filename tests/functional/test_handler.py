"""The handler as Lambda runs it: real module, real events, S3, SQS and DynamoDB by moto."""

from __future__ import annotations

import copy
import importlib
import io
import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
from moto import mock_aws

from pipeline.clients import make_client
from pipeline.errors import RetryError
from pipeline.images.transform import transform
from pipeline.settings import Settings
from pipeline.table.records import Records
from pipeline.version import release
from tests.hostile_texts import HOSTILE
from tests.images import jpeg, photo
from tests.odd_keys import ODD_KEYS
from tests.recorded import BUCKET, recorded

JPEG = jpeg(photo((300, 200)), quality=95)


@dataclass
class Context:
    """What Lambda tells a function of its invocation."""

    remaining_ms: int = 120_000
    function_name: str = "ImageProcessingFunction"
    memory_limit_in_mb: int = 1792
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:ImageProcessingFunction"
    aws_request_id: str = "52fdfc07-2182-154f-163f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


@pytest.fixture(scope="module")
def aws():
    """Buckets, queue and table in moto, and the handler imported in the environment that setup gives it."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.delenv("AWS_ENDPOINT_URL")
        aws: dict[str, Any] = {name: make_client(None, name, region="us-east-1") for name in ("s3", "sqs", "dynamodb")}
        for bucket in (BUCKET, "outputs"):
            aws["s3"].create_bucket(Bucket=bucket)
        aws["s3"].put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        aws["dynamodb"].create_table(
            TableName="ImageMetadata",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "ImageID", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "ImageID", "KeyType": "HASH"}],
        )
        settings = Settings(
            uploads_bucket=BUCKET,
            outputs_bucket="outputs",
            table_name="ImageMetadata",
            outputs_url="http://outputs",
            uploads_url="http://uploads",
            queue_url=aws["sqs"].create_queue(QueueName="image-processing-queue")["QueueUrl"],
        )
        for name, value in settings.to_environment().items():
            patch.setenv(name, value)
        aws["handler"] = importlib.import_module("lambda_function.handler")
        aws["records"] = Records(aws["dynamodb"], "ImageMetadata")
        yield aws


def envelope(*bodies: str, fifo: bool = False) -> dict[str, Any]:
    """Lambda's event with one message for each body."""
    event = recorded("sqs_envelope")
    [message] = event["Records"]
    event["Records"] = [
        message | {"body": body, "messageId": f"m{number}", "receiptHandle": f"handle-m{number}"}
        for number, body in enumerate(bodies)
    ]
    for record in event["Records"] if fifo else ():
        record["eventSourceARN"] += ".fifo"
        record["attributes"] = record["attributes"] | {"MessageGroupId": record["messageId"]}
    return event


@pytest.fixture
def logged(aws, monkeypatch) -> io.StringIO:
    """What the logger writes; it took its stream when it was made, before pytest could capture it."""
    stream = io.StringIO()
    monkeypatch.setattr(aws["handler"].logger.registered_handler, "stream", stream)
    return stream


def delivered(event, times: int):
    """The same event, its messages delivered for the `times`th time."""
    again = copy.deepcopy(event)
    for record in again["Records"]:
        record["attributes"]["ApproximateReceiveCount"] = str(times)
    return again


@pytest.fixture
def put_off(aws, monkeypatch) -> list[tuple[str, int]]:
    """Receipt handles and delays, as the handler tells them to the queue."""
    told: list[tuple[str, int]] = []

    class Told:
        def put_off(self, receipt_handle: str, delay: int) -> None:
            told.append((receipt_handle, delay))

    monkeypatch.setattr(aws["handler"], "queue", Told)
    return told


def own(key: str, bucket: str = BUCKET) -> str:
    return json.dumps({"bucket_name": bucket, "image_key": key})


def failures(aws, event, context=None) -> list[str]:
    answer = aws["handler"].lambda_handler(event, context or Context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_the_printed_example_message_is_processed(aws):
    aws["s3"].put_object(Bucket=BUCKET, Key="statue_small.jpg", Body=JPEG)

    assert failures(aws, recorded("sqs_envelope")) == []

    record = aws["records"].get("statue_small.jpg")
    assert record.outcome == "DONE"
    for key in record.output_keys:
        head = aws["s3"].head_object(Bucket="outputs", Key=key)
        assert head["CacheControl"] == "public, max-age=31536000, immutable"
        assert head["ContentType"].startswith("image/")


def test_a_batch_of_ten_with_a_corrupt_one_completes_nine(aws):
    keys = [f"ten/{number}.jpg" for number in range(10)]
    for key in keys:
        aws["s3"].put_object(Bucket=BUCKET, Key=key, Body=JPEG)
    aws["s3"].put_object(Bucket=BUCKET, Key=keys[4], Body=JPEG[: len(JPEG) // 2])

    assert failures(aws, envelope(*map(own, keys))) == []

    outcomes = [aws["records"].get(key).outcome for key in keys]
    assert outcomes.count("DONE") == 9 and outcomes[4] == "FAILED"


@pytest.mark.parametrize("name", ["s3_test_event", "s3_tagging"])
def test_what_asks_for_nothing_is_acknowledged(aws, name):
    assert failures(aws, envelope(json.dumps(recorded(name)))) == []


@pytest.mark.parametrize("body", ["", "{}", "not JSON", own("a.jpg", bucket="somebody-elses")])
def test_what_can_never_be_done_is_acknowledged(aws, body):
    assert failures(aws, envelope(body)) == []


def test_the_message_that_needs_another_try_is_the_only_one_that_comes_back(aws):
    aws["s3"].put_object(Bucket=BUCKET, Key="fine.jpg", Body=JPEG)

    with throttled(aws, "slow.jpg"):
        assert failures(aws, envelope(own("slow.jpg"), own("fine.jpg"))) == ["m0"]

    assert aws["records"].get("fine.jpg").outcome == "DONE"


def test_when_every_message_fails_every_message_comes_back_and_nothing_is_raised(aws):
    with throttled(aws, "slow.jpg"):
        back = failures(aws, envelope(own("slow.jpg"), own("slow.jpg")))

    # They were worked side by side; the answer names them as they ended.
    assert sorted(back) == ["m0", "m1"]


def test_no_message_is_begun_with_too_little_time_left(aws):
    aws["s3"].put_object(Bucket=BUCKET, Key="late.jpg", Body=JPEG)

    assert failures(aws, envelope(own("late.jpg")), Context(remaining_ms=24_999)) == ["m0"]

    assert aws["records"].get("late.jpg") is None


def test_a_bug_sends_its_message_back_with_a_trace_in_the_log(aws, logged):
    with throttled(aws, "bug.jpg", error=ZeroDivisionError("a bug")):
        assert failures(aws, envelope(own("bug.jpg"))) == ["m0"]

    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    [trace] = [line for line in lines if line.get("level") == "ERROR"]
    [bug] = [line for line in lines if line.get("outcome") == "BUG"]
    assert "ZeroDivisionError" in trace["exception"]
    assert {(line["key"], line["message_id"]) for line in (trace, bug)} == {("bug.jpg", "m0")}


def test_every_outcome_is_one_json_line_and_one_metric(aws, logged, capsys):
    aws["s3"].put_object(Bucket=BUCKET, Key="logged\n{.jpg", Body=JPEG)

    failures(aws, envelope(own("logged\n{.jpg"), own("never.jpg")))

    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    [done] = [line for line in lines if line.get("message") == "DONE"]
    assert done["key"] == "logged\n{.jpg" and done["bytes"] == len(JPEG) and done["message_id"] == "m0"
    assert done["outcome"] == "DONE" and done["ms"] > 0 and done["version"] == release()
    [metrics] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (metrics["Messages"], metrics["DONE"], metrics["SKIPPED"]) == ([2.0], [1.0], [1.0])


def test_no_key_and_no_message_writes_a_line_of_its_own_or_steers_who_reads_the_log(aws, logged):
    hostile = [f"{number} {text}" for number, text in enumerate((*HOSTILE, *ODD_KEYS))]
    hostile += ['\n{"level":"ERROR"}', "a\x85b", "a\u2028b", "\x9b31m", "\x7f", "a\r\nb", "\u202egpj"]
    keys = [key for key in hostile if len(key.encode()) <= 1024]
    nonsense = [text for text in hostile if not text.startswith("[")]

    failures(aws, envelope(*map(own, keys), *nonsense))

    text = logged.getvalue()
    lines = [json.loads(line) for line in text.split("\n")[:-1]]
    assert sorted(line["message"] for line in lines) == ["REJECTED"] * len(nonsense) + ["SKIPPED"] * len(keys)
    assert text.isascii() and all(char.isprintable() or char == "\n" for char in text)
    told = "".join(str(line.get("key") or line["reason"]) for line in lines)
    assert [key for key in keys if key not in told] == []


def test_metrics_have_no_dimensions_but_service_and_code(aws, capsys):
    aws["s3"].put_object(Bucket=BUCKET, Key="cut.jpg", Body=JPEG[: len(JPEG) // 2])

    failures(aws, envelope(own("cut.jpg"), own("a.jpg", bucket="somebody-elses")))

    blobs = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    dimensions = {
        name for blob in blobs for names in blob["_aws"]["CloudWatchMetrics"][0]["Dimensions"] for name in names
    }
    by_code = {(blob["code"], "FAILED" in blob) for blob in blobs if "code" in blob}
    assert dimensions == {"service", "code"}
    assert by_code == {("TRUNCATED_IMAGE", True), ("FOREIGN_BUCKET", False)}


def test_a_fifo_queue_is_worked_in_order_and_stops_at_the_first_failure(aws):
    aws["s3"].put_object(Bucket=BUCKET, Key="fifo.jpg", Body=JPEG)

    with throttled(aws, "slow.jpg"):
        assert failures(aws, envelope(own("fifo.jpg"), own("slow.jpg"), own("never.jpg"), fifo=True)) == ["m1", "m2"]


def test_what_a_fifo_batch_did_not_begin_comes_back_with_the_message_that_failed(aws, put_off):
    with throttled(aws, "slow.jpg", error=RetryError("SlowDown", after=77)):
        failures(aws, envelope(own("slow.jpg"), own("never.jpg"), own("neither.jpg"), fifo=True))

    assert put_off == [("handle-m0", 77), ("handle-m1", 77), ("handle-m2", 77)]


def test_every_message_that_fails_is_put_off_by_what_was_asked_for_or_by_its_deliveries(aws, put_off):
    event = envelope(own("slow.jpg"), own("fine.jpg"))
    aws["s3"].put_object(Bucket=BUCKET, Key="fine.jpg", Body=JPEG)

    with throttled(aws, "slow.jpg", error=RetryError("SlowDown", after=33)):
        failures(aws, event)
    with throttled(aws, "slow.jpg"):
        failures(aws, delivered(event, 3))

    assert put_off[0] == ("handle-m0", 33)
    handle, delay = put_off[1]
    assert handle == "handle-m0" and 40 <= delay <= 60


@pytest.mark.parametrize(("deliveries", "redriven", "isolated"), [(1, False, False), (2, False, True), (1, True, True)])
def test_a_redriven_message_counts_as_one_that_has_come_before(aws, monkeypatch, deliveries, redriven, isolated):
    told = []
    handler = aws["handler"]

    def in_a_child(*given, **named):
        told.append(named)
        return transform(*given, **named)

    services = replace(handler.work.services, isolated=in_a_child)
    monkeypatch.setattr(handler, "work", replace(handler.work, services=services))
    key = f"redriven/{deliveries}{redriven}.jpg"
    aws["s3"].put_object(Bucket=BUCKET, Key=key, Body=JPEG)
    event = delivered(envelope(own(key)), deliveries)
    if redriven:
        event["Records"][0]["messageAttributes"] = recorded("sqs_envelope_redriven")["Records"][0]["messageAttributes"]

    assert failures(aws, event) == []

    assert bool(told) == isolated


def test_the_recorded_envelope_of_a_fifo_queue_is_processed(aws):
    aws["s3"].put_object(Bucket=BUCKET, Key="statue_small.jpg", Body=JPEG)

    assert failures(aws, recorded("sqs_envelope_fifo")) == []


def test_an_event_without_records_is_no_error(aws):
    assert failures(aws, {}) == []


class throttled:
    """While this lasts, reading `key` raises `error`: a failure at the real edge, beneath everything of ours."""

    def __init__(self, aws, key: str, error: Exception | None = None) -> None:
        self._storage, self._key = aws["handler"].work.services.storage, key
        self._error = error or RetryError("SlowDown")

    def __enter__(self) -> None:
        get = self._storage.get

        def refused(bucket: str, key: str, *, max_bytes: int):
            if key == self._key:
                raise self._error
            return get(bucket, key, max_bytes=max_bytes)

        self._storage.get = refused

    def __exit__(self, *_: object) -> None:
        del self._storage.get
