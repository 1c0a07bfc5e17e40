"""AWS Batch in an account where somebody else has made something of the same name."""

import pytest

from cli.exits import CommandError
from setup_scripts.batch_compute import find_environment, find_queue
from setup_scripts.batch_options import BatchOptions
from setup_scripts.steps import set_up, tear_down
from tests.functional.aws_account import changes, context

pytestmark = pytest.mark.usefixtures("account")

IMAGE = {"image": "theirs", "resourceRequirements": [{"type": "VCPU", "value": "1"}]}


def make_repository(made, name="image-batch"):
    made.aws.ecr.create_repository(repositoryName=name)


def make_environment(made, name="ImageBatchOnDemand"):
    subnet = made.aws.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    group = made.aws.ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    resources = {"type": "FARGATE", "maxvCpus": 1, "subnets": [subnet], "securityGroupIds": [group]}
    made.aws.batch.create_compute_environment(
        computeEnvironmentName=name, type="MANAGED", state="ENABLED", computeResources=resources
    )


def make_queue(made, name="ImageBatchQueue"):
    make_environment(made, "theirs")
    order = [{"order": 1, "computeEnvironment": "theirs"}]
    made.aws.batch.create_job_queue(jobQueueName=name, state="ENABLED", priority=1, computeEnvironmentOrder=order)


def make_definition(made, name="ImageBatchJob"):
    container = {**IMAGE, "resourceRequirements": [*IMAGE["resourceRequirements"], {"type": "MEMORY", "value": "2048"}]}
    made.aws.batch.register_job_definition(jobDefinitionName=name, type="container", containerProperties=container)


def repositories(made):
    return [one["repositoryName"] for one in made.aws.ecr.describe_repositories()["repositories"]]


def definitions(made):
    return [one["revision"] for one in made.aws.batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]]


#: By its kind: the name, what makes one, and whether it stands, switched on.
OF_OTHERS = {
    "repository": ("image-batch", make_repository, lambda made: repositories(made) == ["image-batch"]),
    "compute environment": (
        *("ImageBatchOnDemand", make_environment),
        lambda made: find_environment(made, "ImageBatchOnDemand")["state"] == "ENABLED",
    ),
    "job queue": (
        *("ImageBatchQueue", make_queue),
        lambda made: find_queue(made, "ImageBatchQueue")["state"] == "ENABLED",
    ),
    "job definition": ("ImageBatchJob", make_definition, lambda made: definitions(made) == [1]),
}


@pytest.mark.parametrize("kind", OF_OTHERS)
def test_a_setup_refuses_what_is_anothers_and_a_teardown_leaves_it(tmp_path, shelf, kind):
    name, make, stands = OF_OTHERS[kind]
    made = context(tmp_path, shelf)
    make(made)
    BatchOptions().keep(made.resources)

    with pytest.raises(CommandError, match=f"there is a {kind} {name} that this deployment did not make"):
        set_up(made)
    tear_down(made)

    assert stands(made)


def test_a_revision_of_our_job_definition_that_somebody_else_made_is_neither_used_nor_deleted(tmp_path, shelf):
    made = context(tmp_path, shelf)
    BatchOptions().keep(made.resources)
    set_up(made)
    make_definition(made)

    set_up(again := context(tmp_path, shelf))
    tear_down(again)

    assert "RegisterJobDefinition" not in changes(again)
    assert definitions(made) == [2]
