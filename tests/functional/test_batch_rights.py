"""Every call of a job, and of the function that submits, held against their policies."""

import importlib
import json
import sys
import threading

import boto3
import pytest

from bulk.batch_job import BatchJob
from setup_scripts.batch_policies import job_role, submitting_role
from tests.functional.aws_account import ACCOUNT, REGION
from tests.functional.batch_account import batch_account
from tests.functional.rights import RIGHTS, Account, missing, superfluous
from tests.images import jpeg, photo

QUEUE = f"arn:aws:batch:{REGION}:{ACCOUNT}:job-queue/queue"
DEFINITION = f"arn:aws:batch:{REGION}:{ACCOUNT}:job-definition/definition"
#: What no program of ours calls: Lambda writes the function's log.
BY_LAMBDA = {("logs:CreateLogStream", "group:stream"), ("logs:PutLogEvents", "group:stream")}
BATCH_RIGHTS = {
    "SubmitJob": lambda request, _: [("batch:SubmitJob", QUEUE), ("batch:SubmitJob", DEFINITION)],
    "ListJobs": lambda request, _: [("batch:ListJobs", "*")],
    "DeleteObject": lambda r, _: [("s3:DeleteObject", f"arn:aws:s3:::{r['Bucket']}/{r['Key']}")],
}


@pytest.fixture
def account(monkeypatch):
    with batch_account(monkeypatch.delenv) as account:
        for bucket in ("uploads", "outputs"):
            account.s3.create_bucket(Bucket=bucket)
        account.s3.put_object(Bucket="uploads", Key="a.jpg", Body=jpeg(photo()))
        document = json.dumps({"batch_1": ["s3://uploads/a.jpg", "s3://uploads/gone.jpg"]}).encode()
        account.s3.put_object(Bucket="outputs", Key="batch/lists/may.json", Body=document)
        yield account


def noted(client, rights):
    """Every call of `client` as the rights that it needs."""
    known = RIGHTS | BATCH_RIGHTS

    def note(params, model, **_):
        rights.update(known[model.name](params, Account(REGION, ACCOUNT)))

    client.meta.events.register("provide-client-params.*.*", note)
    return client


SETTINGS = {
    "AWS_REGION": REGION,
    "IN_BUCKET": "outputs",
    "JSON_LOCATION": "batch/lists/may.json",
    "OUT_BUCKET": "outputs",
    "OUT_KEY": "batch/compressed",
    "BATCH_JOB_KEY": "batch_1",
}


def test_a_job_needs_what_its_role_gives_and_nothing_less(account):
    needed: set[tuple[str, str]] = set()
    for _ in range(2):
        job = BatchJob.of(SETTINGS, 1)
        noted(job.s3, needed)
        job.run(threading.Event())
    # The list was read before the client could be watched.
    needed.add(("s3:GetObject", "arn:aws:s3:::outputs/batch/lists/may.json"))

    policy = job_role(uploads="uploads", outputs="outputs", read=(), write=())

    assert missing(policy, needed) == set()
    assert superfluous(policy, needed) == set()


def test_the_function_that_submits_needs_what_its_role_gives_and_nothing_less(account, monkeypatch):
    for name, value in {"BATCH_QUEUE": "queue", "BATCH_JOB_DEFINITION": "definition", **SETTINGS}.items():
        monkeypatch.setenv(name, value)
    sys.modules.pop("lambda_function.submit_batch", None)
    module = importlib.import_module("lambda_function.submit_batch")
    needed: set[tuple[str, str]] = set()
    for client in (module.s3, module.jobs._batch, module.jobs._batch_once):
        noted(client, needed)

    class Context:
        function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "x"

    module.lambda_handler({}, Context())
    module.lambda_handler({}, Context())
    boto3.client("s3", region_name=REGION).delete_object(Bucket="outputs", Key="batch/lists/may.json.jobs/none")
    sys.modules.pop("lambda_function.submit_batch", None)

    policy = submitting_role(
        outputs="outputs", write=(), queue_arn=QUEUE, definition_arn=DEFINITION, log_group_arn="group"
    )
    # Claims are deleted, and jobs looked for, where a submission does not go well.
    rarely = {("s3:DeleteObject", "arn:aws:s3:::outputs/batch/x"), ("batch:ListJobs", "*")}
    assert missing(policy, needed) == set()
    assert superfluous(policy, needed | rarely | BY_LAMBDA) == set()
