"""`setup.py --with-batch` on an AWS account in memory: made once, adjusted, taken away; small enough rights."""

import argparse
import json
from dataclasses import replace
from functools import partial

import pytest
from botocore.exceptions import ClientError

from cli.exits import CommandError
from setup_scripts import retry
from setup_scripts.batch_compute import delete_queue
from setup_scripts.batch_options import FARGATE, BatchOptions, add_batch_options, batch_options
from setup_scripts.recover import tagged
from setup_scripts.steps import set_up, tear_down
from tests.functional.aws_account import ACCOUNT, REGION, changes, context

pytestmark = pytest.mark.usefixtures("account")


def with_batch(home, shelf, **options):
    """A deployment that has AWS Batch, set up."""
    made = context(home, shelf)
    BatchOptions(**options).keep(made.resources)
    set_up(made)
    return made


def test_fargate_and_spot_stand_behind_one_queue_spot_first(tmp_path, shelf):
    made = with_batch(tmp_path, shelf, max_vcpus=16)

    (queue,) = made.aws.batch.describe_job_queues()["jobQueues"]
    order = [entry["computeEnvironment"].rpartition("/")[2] for entry in queue["computeEnvironmentOrder"]]
    kinds = {
        one["computeEnvironmentName"]: one["computeResources"]
        for one in made.aws.batch.describe_compute_environments()["computeEnvironments"]
    }
    assert (queue["jobQueueName"], made.resources["batch-queue"]) == ("ImageBatchQueue", "ImageBatchQueue")
    assert order == ["ImageBatchSpot", "ImageBatchOnDemand"]
    assert {name: one["type"] for name, one in kinds.items()} == {
        "ImageBatchSpot": "FARGATE_SPOT",
        "ImageBatchOnDemand": "FARGATE",
    }
    assert {one["maxvCpus"] for one in kinds.values()} == {16}


def test_the_job_has_a_role_instead_of_keys_and_the_size_that_was_asked_for(tmp_path, shelf):
    made = with_batch(tmp_path, shelf, vcpus="2", memory=4096)

    (definition,) = made.aws.batch.describe_job_definitions()["jobDefinitions"]
    container = definition["containerProperties"]
    assert container["jobRoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/ImageBatchJob-{REGION}"
    assert container["executionRoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/ImageBatchExecution-{REGION}"
    assert {one["type"]: one["value"] for one in container["resourceRequirements"]} == {"VCPU": "2", "MEMORY": "4096"}
    assert container["image"].endswith("/image-batch:latest")
    assert container["environment"] == [{"name": "BATCH_JOB_MEMORY", "value": "4096"}]
    assert definition["platformCapabilities"] == ["FARGATE"]
    assert container["logConfiguration"]["options"]["awslogs-group"] == "/aws/batch/ImageBatchJob"


def test_bad_images_are_not_tried_again_and_a_spot_stop_is(tmp_path, shelf):
    made = with_batch(tmp_path, shelf)

    (definition,) = made.aws.batch.describe_job_definitions()["jobDefinitions"]
    rules = definition["retryStrategy"]["evaluateOnExit"]
    assert [(rule.get("onExitCode"), rule["action"].upper()) for rule in rules] == [
        ("1", "EXIT"),
        ("2", "EXIT"),
        ("254", "EXIT"),
        (None, "RETRY"),
    ]
    # What kills every machine that takes it comes to an end all the same.
    assert definition["retryStrategy"]["attempts"] == 5


def test_a_second_setup_changes_nothing(tmp_path, shelf):
    with_batch(tmp_path, shelf)
    before = dict(shelf)
    second = context(tmp_path, shelf)

    set_up(second)

    assert changes(second) == []
    assert shelf == before


def test_another_size_is_another_revision_and_another_bound_is_an_update(tmp_path, shelf):
    with_batch(tmp_path, shelf)

    made = with_batch(tmp_path, shelf, vcpus="4", memory=8192, max_vcpus=128)

    assert changes(made) == [
        "UpdateComputeEnvironment",
        "UpdateComputeEnvironment",
        "RegisterJobDefinition",
        "UpdateFunctionConfiguration",
    ]


def test_a_deployment_without_batch_has_none(tmp_path, shelf):
    made = context(tmp_path, shelf)

    set_up(made)

    assert made.aws.batch.describe_job_queues()["jobQueues"] == []
    assert not [key for key in made.resources if key.startswith("batch")]


def test_teardown_takes_all_of_it_away(tmp_path, shelf):
    made = with_batch(tmp_path, shelf)

    tear_down(made)

    assert made.aws.batch.describe_job_queues()["jobQueues"] == []
    assert made.aws.batch.describe_compute_environments()["computeEnvironments"] == []
    active = made.aws.batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    assert active == []
    assert made.aws.ecr.describe_repositories()["repositories"] == []
    assert [role["Path"] for role in made.aws.iam.list_roles()["Roles"]] == ["/aws-service-role/batch.amazonaws.com/"]
    assert made.aws.logs.describe_log_groups()["logGroups"] == []
    assert made.aws.functions.list_functions()["Functions"] == []
    assert tagged(made.aws) == []
    assert not [key for key in shelf if "/batch" in key]
    again = context(tmp_path, shelf)
    tear_down(again)
    assert changes(again) == []


def test_jobs_may_read_and_write_the_named_buckets_and_of_our_own_what_is_theirs(tmp_path, shelf):
    made = with_batch(tmp_path, shelf, read=("photos",), write=("archive",))

    policy = made.aws.iam.get_role_policy(RoleName=f"ImageBatchJob-{REGION}", PolicyName="image-pipeline")
    resources = {one["Sid"]: one["Resource"] for one in policy["PolicyDocument"]["Statement"]}
    uploads, outputs = made.resources["images-bucket"], made.resources["thumbnails-bucket"]
    assert resources["ReadImages"] == [f"arn:aws:s3:::{uploads}/*", "arn:aws:s3:::photos/*"]
    assert resources["WriteOutputs"] == [f"arn:aws:s3:::{outputs}/batch/*", "arn:aws:s3:::archive/*"]


def test_the_printed_commands_build_and_push_the_image_of_the_definition(tmp_path, shelf):
    told: list[str] = []
    made = context(tmp_path, shelf)
    BatchOptions().keep(made.resources)
    object.__setattr__(made, "say", told.append)

    set_up(made)

    (definition,) = made.aws.batch.describe_job_definitions()["jobDefinitions"]
    image = definition["containerProperties"]["image"]
    assert [line for line in told if image in line and "--target batch" in line]
    assert [line for line in told if line.strip() == f"docker push {image}"]


def test_without_a_default_vpc_the_cure_is_said(tmp_path, shelf):
    made = context(tmp_path, shelf)
    ec2 = made.aws.ec2
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    ec2.delete_vpc(VpcId=vpc)
    BatchOptions().keep(made.resources)

    with pytest.raises(CommandError, match="aws ec2 create-default-vpc"):
        set_up(made)


def parsed(*words):
    parser = argparse.ArgumentParser()
    add_batch_options(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--with-batch", "--batch-memory", "1024"], "with 1 vCPU there are 2048, 3072, 4096 … 8192 MB"),
        (["--with-batch", "--batch-vcpu", "0.25", "--batch-memory", "3072"], "512, 1024, 2048 MB"),
        (["--with-batch", "--batch-vcpu", "16", "--batch-memory", "32768", "--batch-max-vcpus", "8"], "less than one"),
        (["--batch-memory", "2048"], "goes with --with-batch"),
    ],
)
def test_what_fargate_does_not_have_is_refused_before_any_call(words, text):
    with pytest.raises(CommandError, match=text):
        batch_options(parsed(*words), {})


@pytest.mark.parametrize("option", ["--batch-memory", "--batch-max-vcpus"])
def test_a_size_of_0_is_refused_and_not_taken_for_one_that_was_not_said(option, capsys):
    with pytest.raises(SystemExit):
        parsed("--with-batch", option, "0")

    assert f"{option}: '0' must be a whole number above 0" in capsys.readouterr().err


def test_every_pair_of_the_table_is_taken_and_remembered():
    for vcpus, sizes in FARGATE.items():
        for memory in sizes:
            resources: dict[str, str] = {}
            options = BatchOptions(vcpus=vcpus, memory=memory, read=("a", "b"))
            options.keep(resources)
            assert BatchOptions.of(resources) == options


def test_what_was_said_once_holds_for_later_setups():
    resources: dict[str, str] = {}
    batch_options(parsed("--with-batch", "--batch-vcpu", "2", "--batch-memory", "4096"), resources).keep(resources)

    later = batch_options(parsed("--batch-write", "archive"), resources)

    assert later == BatchOptions(vcpus="2", memory=4096, write=("archive",))
    assert batch_options(parsed(), {}) is None


def test_no_policy_of_batch_allows_everything():
    from setup_scripts.batch_policies import documents

    for name, document in documents().items():
        for statement in document["Statement"]:
            assert "*" not in statement["Action"], name
            if statement.get("Resource") == ["*"]:
                assert statement["Sid"] in ("OpenRegistry", "FindJobs"), name
        assert "AWS_SECRET" not in json.dumps(document)


class InvalidEnvironment:
    """AWS Batch with one compute environment that is invalid, as one is that lost its role, and can only be deleted."""

    def __init__(self):
        self.present = {
            "state": "DISABLED",
            "status": "INVALID",
            "statusReason": "CLIENT_ERROR - Access denied",
            "tags": {"image-pipeline": "default"},
        }

    def describe_compute_environments(self, **_):
        return {"computeEnvironments": [self.present] if self.present else []}

    def describe_job_queues(self, **_):
        return {"jobQueues": []}

    def delete_compute_environment(self, **_):
        self.present = None


def test_a_compute_environment_that_became_invalid_holds_no_teardown_up(tmp_path):
    broken = InvalidEnvironment()
    made = context(tmp_path, {})
    made.aws.batch = broken  # type: ignore[assignment]

    delete_queue(made)

    assert broken.present is None


class SlowBatch:
    """AWS Batch whose queue has so many jobs that they take half an hour to end; `waits` are the seconds till then."""

    def __init__(self, waits):
        self.waits = waits
        self.gone_after = None
        self.queue = {"state": "ENABLED", "status": "VALID", "tags": {"image-pipeline": "default"}}
        self.environments = {name: dict(self.queue) for name in ("ImageBatchSpot", "ImageBatchOnDemand")}
        self.refusals = [
            "Cannot delete, found existing JobQueue relationship",
            "Cannot delete, resource is being modified.",
        ]

    def describe_job_queues(self, **_):
        is_gone = self.gone_after is not None and sum(self.waits) >= self.gone_after
        return {"jobQueues": [] if is_gone else [self.queue]}

    def update_job_queue(self, *, jobQueue, state):
        self.queue["state"] = state

    def delete_job_queue(self, **_):
        self.queue["status"] = "DELETING"
        self.gone_after = sum(self.waits) + 1800

    def describe_compute_environments(self, *, computeEnvironments):
        return {
            "computeEnvironments": [
                self.environments[name] for name in computeEnvironments if name in self.environments
            ]
        }

    def update_compute_environment(self, *, computeEnvironment, state):
        self.environments[computeEnvironment]["state"] = state

    def delete_compute_environment(self, *, computeEnvironment):
        if self.refusals:
            text = self.refusals.pop()
            raise ClientError({"Error": {"Code": "ClientException", "Message": text}}, "DeleteComputeEnvironment")
        del self.environments[computeEnvironment]


def patient(made, batch, waits):
    """A context on this AWS Batch, whose time passes only by waiting."""
    made.aws.batch = batch
    passing = {"sleep": waits.append, "clock": lambda: sum(waits)}
    return replace(made, until=partial(retry.until, **passing), settled=partial(retry.settled, **passing))


def test_a_queue_whose_thousands_of_jobs_still_end_is_waited_for_and_its_environments_go_after_it(tmp_path):
    waits: list[float] = []
    slow = SlowBatch(waits)

    delete_queue(patient(context(tmp_path, {}), slow, waits))

    assert slow.refusals == [] and slow.environments == {}
    assert 1800 <= sum(waits) < 1900


def test_an_environment_that_aws_will_not_delete_is_not_told_as_deleted(tmp_path):
    waits: list[float] = []
    slow = SlowBatch(waits)
    slow.refusals = ["Cannot delete, this is for another reason"]

    with pytest.raises(ClientError, match="another reason"):
        delete_queue(patient(context(tmp_path, {}), slow, waits))
