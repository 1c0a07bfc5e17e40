"""What setup and teardown find half-way: switched off, on its way out, failed, hidden, or shared with others."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.connection import Connection
from cli.exits import CommandError, Exit
from cli.state import PlainShelf
from setup_scripts import create_cloudfront, teardown_command
from setup_scripts.alone import main as alone
from setup_scripts.batch_options import BatchOptions
from setup_scripts.recover import recover, tagged
from setup_scripts.roles import ROLE_LEFT
from setup_scripts.steps import set_up, tear_down
from tests.functional.aws_account import REGION, changes, context

pytestmark = pytest.mark.usefixtures("account")

FUNCTION, ROLE = "ImageProcessingFunction", f"ImageProcessingFunction-{REGION}"


def with_batch(home, shelf, **options):
    made = context(home, shelf)
    BatchOptions(**options).keep(made.resources)
    set_up(made)
    return made


def states(made):
    batch = made.aws.batch
    environments = batch.describe_compute_environments()["computeEnvironments"]
    return {one["state"] for one in (*batch.describe_job_queues()["jobQueues"], *environments)}


def test_what_a_teardown_of_batch_switched_off_is_switched_on_by_the_next_setup(tmp_path, shelf):
    made = with_batch(tmp_path, shelf)
    made.aws.batch.update_job_queue(jobQueue="ImageBatchQueue", state="DISABLED")
    made.aws.batch.update_compute_environment(computeEnvironment="ImageBatchSpot", state="DISABLED")

    again = with_batch(tmp_path, shelf)

    assert states(again) == {"ENABLED"}
    assert changes(again) == ["UpdateComputeEnvironment", "UpdateJobQueue"]


def test_a_queue_of_batch_that_is_on_its_way_out_is_waited_for_and_made_anew(tmp_path, shelf):
    made = with_batch(tmp_path, shelf)
    (queue,) = made.aws.batch.describe_job_queues()["jobQueues"]
    made.aws.batch.update_job_queue(jobQueue="ImageBatchQueue", state="DISABLED")
    made.aws.batch.delete_job_queue(jobQueue="ImageBatchQueue")
    again = context(tmp_path, shelf)
    going = [{**queue, "status": "DELETING"}] * 2

    def answer(**_):
        return (SimpleNamespace(status_code=200), {"jobQueues": [going.pop()]}) if going else None

    again.aws.batch.meta.events.register("before-call.batch.DescribeJobQueues", answer)
    set_up(again)

    assert going == [] and changes(again) == ["CreateJobQueue"]


def test_other_subnets_for_batch_are_told_to_its_environments(tmp_path, shelf):
    made = with_batch(tmp_path, shelf)
    subnets = [one["SubnetId"] for one in made.aws.ec2.describe_subnets()["Subnets"]]

    again, told = context(tmp_path, shelf), []
    BatchOptions(subnets=tuple(subnets[:1])).keep(again.resources)
    # moto takes the change and does not make it.
    again.aws.batch.meta.events.register(
        "provide-client-params.batch.UpdateComputeEnvironment", lambda params, **_: told.append(params)
    )
    set_up(again)

    assert changes(again) == ["UpdateComputeEnvironment"] * 2
    assert [one["computeResources"]["subnets"] for one in told] == [subnets[:1]] * 2


def test_where_no_subnets_are_named_those_that_stand_stay(tmp_path, shelf):
    """So it is after the state was lost: what was chosen is not known any more."""
    made = with_batch(tmp_path, shelf)
    subnets = [one["SubnetId"] for one in made.aws.ec2.describe_subnets()["Subnets"]]
    tear_down(made)
    chosen = with_batch(tmp_path, shelf, subnets=tuple(subnets[:1]))
    BatchOptions().keep(chosen.resources)
    chosen.resources.pop("batch-subnets", None)

    again = context(tmp_path, shelf)
    set_up(again)

    assert "UpdateComputeEnvironment" not in changes(again)


def test_a_role_of_batch_that_could_not_go_goes_with_the_next_teardown(tmp_path, shelf):
    made = with_batch(tmp_path, shelf)
    role = f"ImageBatchJob-{REGION}"
    policy = own_policy(made)
    made.aws.iam.attach_role_policy(RoleName=role, PolicyArn=policy)

    tear_down(made)
    left = teardown_command._leftovers(made)
    made.aws.iam.detach_role_policy(RoleName=role, PolicyArn=policy)
    tear_down(made)

    assert [arn.rpartition("/")[2] for arn in left] == [role]
    assert teardown_command._leftovers(made) == []
    assert role not in [one["RoleName"] for one in made.aws.iam.list_roles()["Roles"]]


def test_queues_that_sqs_still_answers_for_are_waited_for_also_where_originals_are_kept(ready):
    bucket = f"arn:aws:s3:::{ready.resources['images-bucket']}"
    queue = ready.resources["messages-queue-arn"]
    listings = [[bucket], [bucket, queue], [bucket, queue]]

    def answer(**_):
        arns = listings.pop() if len(listings) > 1 else listings[0]
        return SimpleNamespace(status_code=200), {"ResourceTagMappingList": [{"ResourceARN": arn} for arn in arns]}

    ready.aws.tagging.meta.events.register("before-call", answer)

    assert teardown_command._leftovers(replace(ready, keep_originals=True)) == []


def own_policy(made):
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "xray:Put*", "Resource": "*"}]}
    return made.aws.iam.create_policy(PolicyName="theirs", PolicyDocument=json.dumps(policy))["Policy"]["Arn"]


def test_a_role_of_the_same_name_that_is_somebody_elses_is_neither_used_nor_deleted(tmp_path):
    made = context(tmp_path, {})
    made.aws.iam.create_role(
        RoleName=ROLE, AssumeRolePolicyDocument='{"Statement": []}', Tags=[{"Key": "owner", "Value": "them"}]
    )

    with pytest.raises(CommandError, match=f"there is a role {ROLE} that this deployment did not make"):
        set_up(made)
    tear_down(made)

    assert [role["RoleName"] for role in made.aws.iam.list_roles()["Roles"]] == [ROLE]
    assert made.aws.iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == []


def test_a_role_that_somebody_let_others_take_is_lambdas_alone_again(ready, tmp_path, shelf):
    iam = ready.aws.iam
    ours = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    theirs = {**ours, "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=json.dumps(theirs))

    set_up(again := context(tmp_path, shelf))

    assert changes(again) == ["UpdateAssumeRolePolicy"]
    assert iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"] == ours


def test_a_role_that_others_hung_policies_on_is_told_and_all_else_goes(ready):
    arn = own_policy(ready)
    ready.aws.iam.attach_role_policy(RoleName=ROLE, PolicyArn=arn)

    tear_down(ready)

    role = ready.aws.iam.get_role(RoleName=ROLE)["Role"]["Arn"]
    assert ready.resources[ROLE_LEFT + ROLE] == role
    assert teardown_command._leftovers(ready) == [role]
    assert ready.aws.s3.list_buckets()["Buckets"] == [] and ready.aws.dynamodb.list_tables()["TableNames"] == []
    ready.aws.iam.detach_role_policy(RoleName=ROLE, PolicyArn=arn)
    tear_down(ready)
    assert teardown_command._leftovers(ready) == [] and ROLE_LEFT + ROLE not in ready.resources


@pytest.mark.parametrize("failed", [{"State": "Failed"}, {"LastUpdateStatus": "Failed"}])
def test_a_function_that_aws_could_not_change_is_changed_again(ready, tmp_path, shelf, failed):
    again, broken = context(tmp_path, shelf), [True]

    def answer(parsed, **_):
        if broken and parsed.get("FunctionName") == FUNCTION:
            parsed.update(failed)

    again.aws.functions.meta.events.register("after-call.lambda.GetFunctionConfiguration", answer)
    again.aws.functions.meta.events.register(
        "after-call.lambda.UpdateFunctionConfiguration", lambda **_: broken.clear()
    )
    set_up(again)

    assert changes(again) == ["UpdateFunctionConfiguration"]


def test_why_aws_cannot_change_a_function_is_told(ready, tmp_path, shelf):
    again = context(tmp_path, shelf)
    reason = {"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "The role cannot be assumed."}

    def answer(parsed, **_):
        if parsed.get("FunctionName") == FUNCTION:
            parsed.update(reason)

    again.aws.functions.meta.events.register("after-call.lambda.GetFunctionConfiguration", answer)

    with pytest.raises(CommandError, match=f"function {FUNCTION}: The role cannot be assumed. Mend that"):
        set_up(again)


def may_not_search(made):
    def refuse(**_):
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetResources")

    made.aws.tagging.meta.events.register("before-call", refuse)
    return made


def test_without_the_right_to_search_an_empty_state_stays_empty_and_that_is_told(ready, tmp_path):
    blind = may_not_search(context(tmp_path, {}))
    connection = Connection(
        target=blind.aws.target, aws=blind.aws, shelf=PlainShelf({}), resources=blind.resources, home=tmp_path
    )

    assert tagged(blind.aws) is None
    assert recover(connection, pytest.fail) is False
    assert not blind.resources


def test_without_the_right_to_search_originals_that_were_kept_are_known(ready, tmp_path):
    bucket = ready.resources["images-bucket"]
    blind = may_not_search(context(tmp_path, {f"{ready.aws.target.prefix}/images-bucket": bucket}))
    connection = Connection(
        target=blind.aws.target, aws=blind.aws, shelf=PlainShelf({}), resources=blind.resources, home=tmp_path
    )

    assert recover(connection, pytest.fail) is True
    assert dict(blind.resources) == {"images-bucket": bucket}


def test_without_the_right_to_search_a_teardown_says_what_it_could_not_see(ready, capsys):
    tear_down(ready)

    assert teardown_command._leftovers(may_not_search(ready)) == []
    assert "tag:GetResources" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arn",
    [
        pytest.param("arn:aws:cloudfront::123456789012:distribution/EGONE", id="a distribution that is gone"),
        # A job of AWS Batch hands its tag on to the task that it runs in.
        pytest.param("arn:aws:ecs:us-east-1:123456789012:task/AWSBatch-ImageBatchSpot/0123abcd", id="a task"),
    ],
)
def test_what_is_found_by_its_tag_and_is_gone_or_goes_by_itself_is_not_left_over(ready, arn):
    gone = {"ResourceARN": arn, "Tags": []}
    tear_down(ready)
    ready.aws.tagging.meta.events.register(
        "before-call", lambda **_: (SimpleNamespace(status_code=200), {"ResourceTagMappingList": [gone]})
    )

    assert tagged(ready.aws) == []


def test_a_queue_that_was_just_deleted_is_made_when_sqs_makes_its_name_again(tmp_path):
    made, refusals = context(tmp_path, {}), ["", ""]

    def refuse(**_):
        if refusals:
            refusals.pop()
            code = "AWS.SimpleQueueService.QueueDeletedRecently"
            raise ClientError({"Error": {"Code": code, "Message": "wait 60 seconds"}}, "CreateQueue")

    made.aws.sqs.meta.events.register("before-call.sqs.CreateQueue", refuse)
    set_up(made)

    assert refusals == [] and len(made.aws.sqs.list_queues()["QueueUrls"]) == 2


def test_a_step_alone_on_a_deployment_that_does_not_want_it_is_no_fault(ready, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("IMAGE_PIPELINE_HOME", str(tmp_path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")

    code = alone(create_cloudfront.create, "Text.", "create_cloudfront.py", ["--aws"], shows=("cloudfront-url",))

    assert (code, capsys.readouterr().out) == (Exit.DONE, "")


def test_a_teardown_of_what_nobody_knows_names_what_is_known(ready, tmp_path, capsys):
    state = PlainShelf({})
    state.update({"1/eu-central-1/blue/images-bucket": "b", "current": {}, "1/eu-central-1/blue/dashboard": "d"})
    nothing: Any = SimpleNamespace(resources={}, shelf=state, target=ready.aws.target)

    teardown_command._name_others(nothing)

    assert "the state knows 1/eu-central-1/blue\n" in capsys.readouterr().err
