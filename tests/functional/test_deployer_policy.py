"""Every call of setup, of a second setup and of teardown, held against the policy that is printed for who runs them."""

import json

import pytest

from pipeline.table.records import read_items
from setup_scripts import create_batch
from setup_scripts.batch_deployer_policy import batch_deployer
from setup_scripts.batch_options import BatchOptions
from setup_scripts.deployer_policy import deployer
from setup_scripts.steps import set_up, tear_down
from tests.functional.aws_account import ACCOUNT, REGION, aws_account, context

CLIENTS = ("s3", "sqs", "dynamodb", "functions", "iam", "logs", "cloudwatch", "tagging")
SERVICES = {"resourcegroupstaggingapi": "tag"}
POLICY = deployer(ACCOUNT, REGION)
#: boto3's operation → IAM's action, where the two differ.
ACTIONS = {
    "HeadBucket": ["s3:ListBucket"],
    "GetPublicAccessBlock": ["s3:GetBucketPublicAccessBlock"],
    "PutPublicAccessBlock": ["s3:PutBucketPublicAccessBlock"],
    "GetBucketLifecycleConfiguration": ["s3:GetLifecycleConfiguration"],
    "PutBucketLifecycleConfiguration": ["s3:PutLifecycleConfiguration"],
    "GetBucketNotificationConfiguration": ["s3:GetBucketNotification"],
    "PutBucketNotificationConfiguration": ["s3:PutBucketNotification"],
    "ListObjectVersions": ["s3:ListBucketVersions"],
    "DeleteObjects": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
    "ListMultipartUploads": ["s3:ListBucketMultipartUploads"],
    "HeadObject": ["s3:GetObject"],
    "ListObjectsV2": ["s3:ListBucket"],
    # Tags given on making something are a right of their own; so is handing a role to a function.
    "CreateQueue": ["sqs:CreateQueue", "sqs:TagQueue"],
    "CreateTable": ["dynamodb:CreateTable", "dynamodb:TagResource"],
    "CreateRole": ["iam:CreateRole", "iam:TagRole"],
    "CreateFunction": ["lambda:CreateFunction", "lambda:TagResource", "iam:PassRole"],
    "UpdateFunctionConfiguration": ["lambda:UpdateFunctionConfiguration", "iam:PassRole"],
    "CreateEventSourceMapping": ["lambda:CreateEventSourceMapping", "lambda:TagResource"],
    "CreateLogGroup": ["logs:CreateLogGroup", "logs:TagResource"],
    "PutMetricAlarm": ["cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"],
    "PutDashboard": ["cloudwatch:PutDashboard", "cloudwatch:TagResource"],
    "GetResources": ["tag:GetResources"],
}
BATCH_CLIENTS = ("batch", "ec2", "ecr", "functions", "iam", "logs")
BATCH_ACTIONS = {
    "CreateComputeEnvironment": ["batch:CreateComputeEnvironment", "batch:TagResource", "iam:CreateServiceLinkedRole"],
    "CreateJobQueue": ["batch:CreateJobQueue", "batch:TagResource"],
    "RegisterJobDefinition": ["batch:RegisterJobDefinition", "batch:TagResource", "iam:PassRole"],
    "CreateRepository": ["ecr:CreateRepository", "ecr:TagResource"],
}
#: Rights that other situations ask for than a setup, a change and a teardown without faults.
OTHERWISE = {
    "tag:GetResources": "teardown looks for leftovers, setup.py for a lost state",
    "lambda:UpdateFunctionCode": "a newer version",
    "s3:AbortMultipartUpload": "teardown, where an upload was left unfinished",
    "sqs:SendMessage": "upload_folder_images.py --send-messages, status.py --redrive",
    "sqs:ReceiveMessage": "status.py --redrive",
    "sqs:DeleteMessage": "status.py --redrive",
    "sqs:ChangeMessageVisibility": "status.py --redrive --dry-run",
    "dynamodb:Query": "status.py",
    "dynamodb:PartiQLSelect": "query.py",
    "dynamodb:PartiQLUpdate": "query.py",
    "dynamodb:PartiQLDelete": "query.py",
    "dynamodb:PartiQLInsert": "query.py",
    "dynamodb:UpdateTable": "a table without its stream, of an older version",
    "lambda:UpdateEventSourceMapping": "another batch size",
    "logs:FilterLogEvents": "status.py --logs",
    "lambda:PublishVersion": "setup.py --snapstart",
    "lambda:ListVersionsByFunction": "setup.py --snapstart",
    "lambda:CreateAlias": "setup.py --snapstart",
    "lambda:UpdateAlias": "setup.py --snapstart, with newer code",
    "lambda:DeleteAlias": "setup.py --no-snapstart",
    "lambda:RemovePermission": "setup.py --snapstart and --no-snapstart",
    "lambda:DeleteFunctionUrlConfig": "setup.py --snapstart and --no-snapstart",
}


@pytest.fixture(scope="module")
def called(tmp_path_factory):
    """The IAM actions that all calls of a deployment's life need."""
    called = set()

    def note(model, **_):
        service = SERVICES.get(model.service_model.service_name, model.service_model.service_name)
        called.update(ACTIONS.get(model.name, [f"{service}:{model.name}"]))

    with pytest.MonkeyPatch.context() as patch, aws_account(patch.delenv):
        home = tmp_path_factory.mktemp("home")
        shelf: dict[str, str] = {}
        for act in (set_up, set_up, read_records, put_everything_off, set_up, tear_down):
            made = context(home, shelf)
            for client in CLIENTS:
                getattr(made.aws, client).meta.events.register("provide-client-params.*.*", note)
            act(made)
    return called


def read_records(made):
    """As the uploader and the backfill do."""
    assert read_items(made.aws.dynamodb, "ImageMetadata", ["a.jpg"], ("ImageID",)) == {}


def put_everything_off(made):
    """Change, as a person might, what the next setup puts right."""
    aws, resources = made.aws, made.resources
    aws.sqs.set_queue_attributes(QueueUrl=resources["messages-queue"], Attributes={"VisibilityTimeout": "1"})
    aws.sqs.untag_queue(QueueUrl=resources["messages-queue"], TagKeys=["image-pipeline"])
    aws.functions.update_function_configuration(FunctionName="ImageProcessingFunction", MemorySize=128)
    trusted = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}],
    }
    role_name = resources["labrole-arn"].rpartition("/")[2]
    aws.iam.update_assume_role_policy(RoleName=role_name, PolicyDocument=json.dumps(trusted))


def allowed(policy=POLICY):
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def test_whoever_has_the_printed_policy_can_set_up_and_tear_down(called):
    assert called - allowed() - {"sqs:UntagQueue", "sts:GetCallerIdentity"} == set()


def test_the_printed_policy_holds_nothing_that_no_command_needs(called):
    rarely = {action for action in allowed() - called if not action.startswith("cloudfront:")}

    assert rarely == set(OTHERWISE)


def test_every_resource_has_a_name_that_setup_gives():
    for statement in POLICY["Statement"]:
        for resource in statement["Resource"]:
            if statement["Sid"] not in ("Triggers", "Lists", "CloudFront"):
                assert "mage" in resource or resource.endswith(":role/LabRole"), resource


def test_a_role_can_be_handed_to_lambda_only():
    (passing,) = [statement for statement in POLICY["Statement"] if "iam:PassRole" in statement["Action"]]

    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}


def test_a_managed_policy_is_large_enough_for_it():
    assert len(json.dumps(POLICY, separators=(",", ":"))) <= 6144


def test_whoever_has_the_printed_policy_of_batch_too_can_set_it_up_and_take_it_down(tmp_path, monkeypatch):
    needed = set()

    def note(model, **_):
        service = model.service_model.service_name
        needed.update(BATCH_ACTIONS.get(model.name, ACTIONS.get(model.name, [f"{service}:{model.name}"])))

    shelf: dict[str, str] = {}
    with aws_account(monkeypatch.delenv):
        set_up(context(tmp_path, shelf))
        for options in (BatchOptions(), BatchOptions(vcpus="2", memory=4096, max_vcpus=8)):
            made = context(tmp_path, shelf)
            options.keep(made.resources)
            for client in BATCH_CLIENTS:
                getattr(made.aws, client).meta.events.register("provide-client-params.*.*", note)
            create_batch.create(made)
        create_batch.delete(made)

    policy = batch_deployer(ACCOUNT, REGION)
    assert needed - allowed(policy) - allowed() == set()
    assert len(json.dumps(policy, separators=(",", ":"))) <= 6144
    for statement in policy["Statement"]:
        if statement["Resource"] == ["*"]:
            assert statement["Sid"] in ("BatchLooks", "Network", "Registry")


def test_whoever_has_the_printed_policy_of_batch_can_push_the_image():
    # https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
    pushing = {
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:GetAuthorizationToken",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
    }

    assert pushing - allowed(batch_deployer(ACCOUNT, REGION)) == set()
