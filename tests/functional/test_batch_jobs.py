"""Submitting to AWS Batch: one job whatever happens, and only the children that failed again."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.batch.claims import Claims
from pipeline.batch.following import environment, failed, states
from pipeline.batch.jobs import ABANDONED, Order
from pipeline.batch.stored_lists import StoredList
from pipeline.errors import RetryError
from tests.functional.batch_account import SETTINGS, batch_account

ORDER = Order(settings=SETTINGS, batches=(1, 2, 3, 4, 5), token="may")


@pytest.fixture
def account(monkeypatch):
    with batch_account(monkeypatch.delenv) as account:
        yield account


def variables(account, job_id):
    given = environment(account.batch, job_id)
    return {name: value for name, value in given.items() if not name.startswith("AWS_BATCH_")}


def test_a_list_becomes_one_array_job_with_all_settings_and_no_keys(account):
    submitted = account.jobs().submit(ORDER)

    (job,) = account.batch.describe_jobs(jobs=[submitted.job_id])["jobs"]
    assert (submitted.is_new, job["jobName"], job["arrayProperties"]["size"]) == (True, "image-pipeline-may", 5)
    assert variables(account, submitted.job_id) == SETTINGS.to_environment()


def test_one_batch_is_a_plain_job_that_is_told_its_batch(account):
    submitted = account.jobs().submit(Order(settings=SETTINGS, batches=(1,), token="may"))

    (job,) = account.batch.describe_jobs(jobs=[submitted.job_id])["jobs"]
    assert "size" not in job.get("arrayProperties", {})
    assert variables(account, submitted.job_id)["BATCH_JOB_KEY"] == "batch_1"


def test_the_same_token_is_one_job_and_another_token_another(account):
    first = account.jobs().submit(ORDER)
    second = account.jobs().submit(ORDER)

    assert (second.job_id, second.is_new) == (first.job_id, False)
    assert account.jobs().submit(Order(settings=SETTINGS, batches=(1, 2), token="june")).is_new
    assert len(account.submitted()) == 2


def test_an_answer_that_was_lost_is_resolved_by_the_name_of_the_job(account):
    account.plan("lost")

    submitted = account.jobs().submit(ORDER)

    assert [job["jobId"] for job in account.submitted()] == [submitted.job_id]


def test_a_call_that_never_arrived_is_made_again_after_a_look(account):
    account.plan("reset", "TooManyRequestsException")

    submitted = account.jobs().submit(ORDER)

    assert [job["jobId"] for job in account.submitted()] == [submitted.job_id]
    assert sum(account.waits) > 10


def test_a_refusal_is_told_and_leaves_no_claim_behind(account):
    account.plan("ClientException")

    with pytest.raises(RetryError, match="ClientException"):
        account.jobs().submit(ORDER)

    assert Claims(account.s3, "lists", "may.json").read("may") is None
    assert account.jobs().submit(ORDER).is_new


def test_a_refusal_after_a_call_that_was_unclear_leaves_the_claim_to_whoever_looks_later(account):
    account.plan("reset", "ClientException")

    with pytest.raises(RetryError, match="SubmitJob image-pipeline-may: ClientException"):
        account.jobs().submit(ORDER)

    assert Claims(account.s3, "lists", "may.json").read("may")
    assert account.jobs().submit(ORDER).is_new


def test_a_job_whose_answer_was_lost_is_not_made_again_although_nobody_may_look_for_it(account):
    def deny(**_):
        answer: Any = {"Error": {"Code": "AccessDeniedException"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        raise ClientError(answer, "ListJobs")

    account.plan("lost")
    account.batch.meta.events.register("before-call.batch.ListJobs", deny)
    for _ in range(2):
        with pytest.raises(RetryError, match="ListJobs image-pipeline-may: AccessDeniedException"):
            account.jobs().submit(ORDER)
    account.batch.meta.events.unregister("before-call.batch.ListJobs", deny)

    assert not account.jobs().submit(ORDER).is_new
    assert len(account.submitted()) == 1


def test_who_died_after_submitting_is_found_by_the_name_of_the_job(account):
    claims = Claims(account.s3, "lists", "may.json")
    claims.take("may", "image-pipeline-may", account.now)
    account.batch.submit_job(jobName="image-pipeline-may", jobQueue="queue", jobDefinition="definition")

    submitted = account.jobs().submit(ORDER)

    assert not submitted.is_new
    assert len(account.submitted()) == 1


def test_who_died_before_submitting_is_taken_over_after_a_while(account):
    claims = Claims(account.s3, "lists", "may.json")
    claims.take("may", "image-pipeline-may", account.now)

    submitted = account.jobs().submit(ORDER)

    assert submitted.is_new
    assert ABANDONED <= sum(account.waits) < ABANDONED + 5
    assert claims.read("may").job_id == submitted.job_id


def test_of_two_that_take_over_one_submits(account):
    claims = Claims(account.s3, "lists", "may.json")
    dead, _ = claims.take("may", "image-pipeline-may", account.now)

    assert claims.take_over("may", dead, account.now)
    assert claims.take_over("may", dead, account.now) is None


def test_states_add_up_and_children_that_failed_are_named(account):
    job_id = account.jobs().submit(ORDER).job_id
    account.end(job_id, 1, 4)

    found = failed(account.batch, job_id, None)

    assert states(account.batch, job_id)["SUCCEEDED"] == 3
    assert states(account.batch, job_id)["FAILED"] == 2
    assert [(child.batch, child.job_id) for child in found] == [(2, f"{job_id}:1"), (5, f"{job_id}:4")]


def test_a_retry_is_told_which_batches_it_is_about_and_so_is_a_retry_of_a_retry(account):
    job_id = account.jobs().submit(Order(settings=SETTINGS, batches=(2, 4, 5), token="again")).job_id

    key = variables(account, job_id)["BATCH_INDEXES"]
    indexes = StoredList(account.s3, "lists", "may.json").indexes(key)
    account.end(job_id, 0, 2)

    assert key == "may.json.jobs/again.indexes.json"
    assert indexes == [2, 4, 5]
    assert [child.batch for child in failed(account.batch, job_id, indexes)] == [2, 5]


def test_a_plain_job_that_failed_is_its_own_child(account):
    job_id = account.jobs().submit(Order(settings=SETTINGS, batches=(3,), token="one")).job_id
    account.end(job_id)

    assert [child.batch for child in failed(account.batch, job_id, None)] == [3]


def test_a_job_that_is_forgotten_is_said_so(account):
    with pytest.raises(RetryError, match="knows no job"):
        states(account.batch, "00000000-0000-0000-0000-000000000000")


def test_of_several_jobs_the_one_that_is_forgotten_is_named(account):
    job_id = account.jobs().submit(ORDER).job_id
    account.end(job_id, 1, 4)

    def forget(parsed, **_):
        parsed["jobs"] = [job for job in parsed["jobs"] if job["jobId"] != f"{job_id}:4"]

    account.batch.meta.events.register("after-call.batch.DescribeJobs", forget)

    with pytest.raises(RetryError, match=f"knows no job {job_id}:4;"):
        failed(account.batch, job_id, None)


def test_a_claim_is_json_that_a_person_can_read(account):
    submitted = account.jobs().submit(ORDER)

    claim = json.load(account.s3.get_object(Bucket="lists", Key="may.json.jobs/may.json")["Body"])
    assert claim["job_id"] == submitted.job_id
