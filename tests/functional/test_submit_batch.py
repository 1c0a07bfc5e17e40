"""Submitting by the command and by the function, on an account in memory."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from bulk import submit_batch
from bulk.batch_waiting import wait
from cli.connection import Connection
from cli.exits import CommandError
from cli.state import Resources
from pipeline.batch.following import last_words
from pipeline.errors import RetryError
from pipeline.settings import SettingsError
from tests.functional.aws_account import target
from tests.functional.batch_account import LIST, REGION, batch_account
from tests.unheard import unheard

EVENT = {"IN_BUCKET": "lists", "JSON_LOCATION": "may.json", "OUT_BUCKET": "out", "OUT_KEY": "compressed"}


class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = "x"
    aws_request_id = "request"


@pytest.fixture
def account(monkeypatch):
    with batch_account(monkeypatch.delenv) as account:
        yield account


@pytest.fixture
def function(account, monkeypatch):
    """The Lambda function as it is when Lambda has loaded it."""
    for name, value in {"BATCH_QUEUE": "queue", "BATCH_JOB_DEFINITION": "definition", "AWS_REGION": REGION}.items():
        monkeypatch.setenv(name, value)
    sys.modules.pop("lambda_function.submit_batch", None)
    yield importlib.import_module("lambda_function.submit_batch").lambda_handler
    sys.modules.pop("lambda_function.submit_batch", None)


def environment(account, job_id):
    (job,) = account.batch.describe_jobs(jobs=[job_id])["jobs"]
    return {entry["name"]: entry["value"] for entry in job["container"]["environment"]}


def test_the_function_submits_what_the_event_says_and_its_own_variables_fill_the_gaps(account, function):
    answer = function({**EVENT, "DIVIDE_CAMERA_WISE": True}, Context())

    given = environment(account, answer["jobId"])
    assert (answer["batches"], answer["isNew"]) == (5, True)
    assert {name: given[name] for name in EVENT} == EVENT
    assert (given["AWS_REGION"], given["DIVIDE_CAMERA_WISE"]) == (REGION, "true")
    assert given["BATCH_LIST_ETAG"] in account.s3.head_object(Bucket="lists", Key="may.json")["ETag"]
    assert not [name for name in given if "KEY_ID" in name or "SECRET" in name]


def test_a_call_that_lambda_repeats_is_one_job_and_so_is_a_token(account, function):
    first, repeated = function(EVENT, Context()), function(EVENT, Context())
    one, other = function({**EVENT, "token": "t"}, Context()), function({**EVENT, "token": "t"}, Context())

    assert (first["jobId"], one["jobId"]) == (repeated["jobId"], other["jobId"])
    assert len(account.submitted()) == 2


def test_the_function_refuses_wrong_settings_and_lists_before_it_submits(account, function):
    with pytest.raises(SettingsError, match="OUT_KEY is not set"):
        function({**EVENT, "OUT_KEY": ""}, Context())
    account.s3.put_object(Bucket="lists", Key="half.json", Body=json.dumps(LIST)[:-5].encode())
    with pytest.raises(ValueError, match="ends in the middle"):
        function({**EVENT, "JSON_LOCATION": "half.json"}, Context())

    assert account.submitted() == []


class Clients:
    """As `cli.aws.Aws`, for the account of the test."""

    def __init__(self, account):
        import boto3

        self.batch = self.batch_once = account.batch
        self.s3, self.logs = account.s3, boto3.client("logs", region_name=REGION)


@pytest.fixture
def connection(account, tmp_path):
    place = target()
    resources = Resources({}, place.prefix)
    resources.update({"batch-queue": "queue", "batch-job-definition": "definition", "thumbnails-bucket": "lists"})
    clients: Any = Clients(account)
    return Connection(target=place, aws=clients, shelf=None, resources=resources, home=tmp_path)


def arguments(**changes):
    said = {"list": "s3://lists/may.json", "out": "s3://out/compressed", "layout": "full", "divide_camera_wise": False}
    return argparse.Namespace(**{**said, "again": False, "retry_failed": None, "json": False, **changes})


def submitted(connection, **changes):
    said = arguments(**changes)
    order = (submit_batch._order_again if said.retry_failed else submit_batch._order)(connection, said)
    return submit_batch._submit(connection, order), order


def test_the_same_command_twice_is_one_job_unless_it_says_again(account, connection):
    first, _ = submitted(connection)
    second, _ = submitted(connection)
    third, _ = submitted(connection, again=True)
    fourth, _ = submitted(connection, again=True)

    assert (second.job_id, second.is_new) == (first.job_id, False)
    assert len({first.job_id, third.job_id, fourth.job_id}) == 3


def test_a_new_list_under_the_old_name_is_a_new_job(account, connection):
    first, _ = submitted(connection)
    account.s3.put_object(Bucket="lists", Key="may.json", Body=b'{"batch_1": []}')

    second, order = submitted(connection)

    assert second.job_id != first.job_id
    assert order.batches == (1,)


def test_jobs_and_their_retries_are_told_which_list_is_meant_and_no_retry_is_submitted_for_another(account, connection):
    etag = account.s3.head_object(Bucket="lists", Key="may.json")["ETag"].strip('"')
    first, _ = submitted(connection)
    account.end(first.job_id, 0, 3)
    second, _ = submitted(connection, retry_failed=first.job_id)
    account.s3.put_object(Bucket="lists", Key="may.json", Body=json.dumps(LIST | {"batch_1": []}).encode())

    with pytest.raises(CommandError, match="s3://lists/may.json is no longer the list that was submitted"):
        submitted(connection, retry_failed=first.job_id)

    told = [environment(account, job.job_id)["BATCH_LIST_ETAG"] for job in (first, second)]
    assert told == [etag, etag]


def test_a_list_on_this_machine_is_uploaded_first(account, connection, tmp_path):
    path = tmp_path / "list.json"
    path.write_text(json.dumps(LIST))

    _, order = submitted(connection, list=str(path), out=None)

    settings = order.settings
    assert (settings.in_bucket, settings.out_bucket, settings.out_key) == ("lists", "lists", "batch/compressed")
    body = account.s3.get_object(Bucket="lists", Key=settings.json_location)["Body"].read()
    assert json.loads(body) == LIST and settings.json_location.startswith("batch/lists/")


@pytest.mark.parametrize(
    ("out", "text"),
    [
        ("s3://", "OUT s3://: '' is not the name of a bucket"),
        ("s3://a bucket/compressed", "OUT s3://a bucket/compressed: 'a bucket' is not the name of a bucket"),
        ("s3://mistyped/compressed", "OUT s3://mistyped: there is no such bucket"),
    ],
)
def test_an_out_where_no_image_could_be_put_is_refused_before_anything_is_submitted(account, connection, out, text):
    with pytest.raises(CommandError, match=text):
        submitted(connection, out=out)

    assert account.submitted() == []


def test_who_submits_needs_no_right_on_the_bucket_of_the_outputs(account, connection):
    def deny(**_):
        answer: Any = {"Error": {"Code": "403"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        raise ClientError(answer, "HeadBucket")

    account.s3.meta.events.register("before-call.s3.HeadBucket", deny)

    assert submitted(connection)[0].is_new


def test_a_retry_submits_the_failed_children_and_no_others(account, connection):
    first, _ = submitted(connection)
    account.end(first.job_id, 0, 3)

    second, order = submitted(connection, retry_failed=first.job_id)
    account.end(second.job_id, 1)
    third, last = submitted(connection, retry_failed=second.job_id)

    assert (order.batches, last.batches) == ((1, 4), (4,))
    assert "BATCH_INDEXES" in environment(account, second.job_id)
    assert environment(account, third.job_id)["BATCH_JOB_KEY"] == "batch_4"


def test_waiting_ends_when_all_children_have_ended_and_failures_are_named_with_their_last_words(
    account, connection, capsys
):
    job, _ = submitted(connection)
    account.end(job.job_id, 2)
    group, stream = "/aws/batch/job", f"{job.job_id}:2"
    logs = connection.aws.logs
    child = account.batch.describe_jobs(jobs=[stream])["jobs"][0]
    stream = child["container"]["logStreamName"]
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    lines = ["starting", "failed: s3://photos/3.jpg: CORRUPT_FILE", "Compressed 0/1 files."]
    now = int(time.time() * 1000)
    events = [{"timestamp": now + at, "message": line} for at, line in enumerate(lines)]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    code = submit_batch._follow(connection, {"job_id": job.job_id}, as_json=True)

    said = capsys.readouterr()
    assert code == 1
    assert json.loads(said.out) == {"job_id": job.job_id, "succeeded": 4, "failed": [3], "reason": ""}
    assert "batch_3 failed" in said.err and "failed: s3://photos/3.jpg: CORRUPT_FILE" in said.err
    assert f"--retry-failed {job.job_id}" in said.err


def test_a_job_that_failed_before_it_had_children_is_told_with_the_reason_of_aws(account, connection, capsys):
    job, order = submitted(connection)
    account.refuse(job.job_id, "JobQueue is gone")
    said = {"job_id": job.job_id, "batches": len(order.batches)}

    code = submit_batch._follow(connection, said, as_json=True)

    told = capsys.readouterr()
    line = {"job_id": job.job_id, "batches": 5, "succeeded": 0, "failed": [], "reason": "JobQueue is gone"}
    assert (code, json.loads(told.out)) == (1, line)
    assert "failed before its first batch: JobQueue is gone" in told.err


@pytest.mark.parametrize(("wait", "lines"), [(False, 1), (True, 0)])
def test_json_is_one_line_however_long_it_waits(account, connection, capsys, wait, lines):
    job, order = submitted(connection)
    said = {"job_id": job.job_id, "name": job.name, "is_new": True, "batches": len(order.batches)}

    submit_batch._tell(said, arguments(json=True, wait=wait))

    told = capsys.readouterr()
    assert len(told.out.splitlines()) == lines and (job.job_id in told.err) is wait


def test_a_reader_who_has_gone_changes_neither_the_waiting_nor_how_it_ends(account, connection):
    job, order = submitted(connection)
    account.end(job.job_id, 2)
    said = {"job_id": job.job_id, "name": job.name, "is_new": True, "batches": len(order.batches)}

    with unheard():
        submit_batch._tell(said, arguments(wait=True))
    with unheard():
        assert submit_batch._follow(connection, said, as_json=False) == 1


def test_a_log_that_is_gone_is_no_reason_to_fail(account, connection):
    from pipeline.batch.following import Child

    assert last_words(connection.aws.logs, Child("j", 1, "", 1, "/aws/batch/none", "none")) == ""


def test_failed_children_are_submitted_once_more_each_time_it_is_said(account, connection):
    first, _ = submitted(connection)
    account.end(first.job_id, 0, 3)

    jobs = [submitted(connection, retry_failed=first.job_id, again=True)[0] for _ in range(3)]

    assert len({job.job_id for job in jobs}) == 3 and all(job.is_new for job in jobs)


def test_waiting_looks_again_until_the_last_child_has_ended(account):
    class Batch:
        def __init__(self, *summaries):
            self.summaries = list(summaries)

        def describe_jobs(self, jobs):
            summary = self.summaries.pop(0)
            if summary is None:
                raise EndpointConnectionError(endpoint_url="https://batch.us-east-1.amazonaws.com")
            return {"jobs": [{"status": "PENDING", "arrayProperties": {"size": 2, "statusSummary": summary}}]}

    slept: list[float] = []
    away = [None] * 8
    batch: Any = Batch({}, {"RUNNING": 2}, *away, {"RUNNING": 1, "FAILED": 1}, {"SUCCEEDED": 1, "FAILED": 1})

    states = wait(batch, "job", sleep=slept.append)

    assert (states["SUCCEEDED"], states["FAILED"], len(slept)) == (1, 1, 3 + len(away))


def test_a_job_that_is_not_known_is_said_at_once():
    class Batch:
        def describe_jobs(self, jobs):
            return {"jobs": []}

    batch: Any = Batch()

    with pytest.raises(RetryError, match="knows no job"):
        wait(batch, "mistyped", sleep=lambda seconds: pytest.fail("it waits"))


@pytest.mark.parametrize("summary", [{}, {"PENDING": 0, "FAILED": 0}])
def test_a_job_that_failed_before_it_had_children_is_not_waited_for(summary):
    class Batch:
        def describe_jobs(self, jobs):
            return {"jobs": [{"status": "FAILED", "arrayProperties": {"size": 5, "statusSummary": summary}}]}

    batch: Any = Batch()

    assert wait(batch, "job", sleep=lambda seconds: pytest.fail("it waits"))["FAILED"] == 5
