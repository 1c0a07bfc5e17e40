"""Setup and teardown in an account that has more in it than this deployment."""

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.connection import Connection
from cli.exits import CommandError
from cli.state import PlainShelf, Resources
from setup_scripts import add_sqs_trigger, create_sqs_queue
from setup_scripts.recover import recover
from setup_scripts.steps import set_up, tear_down
from setup_scripts.switches import ALARMS
from tests.functional.aws_account import ACCOUNT, REGION, changes, context

pytestmark = pytest.mark.usefixtures("account")

TABLE: Any = {
    "KeySchema": [{"AttributeName": "ImageID", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "ImageID", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
GROUP = "/aws/lambda/ImageProcessingFunction"


def make_older_function(made):
    """One of the same name that carries no tag; it needs a role that exists."""
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "*"}]}
    role = made.aws.iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    made.aws.functions.create_function(
        FunctionName="ImageProcessingFunction", Runtime="python3.11", Role=role, Handler="their.handler",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)}, Environment={"Variables": {"THEIR": "own"}},
    )  # fmt: skip


def test_a_teardown_leaves_what_an_older_system_made_under_the_same_names(tmp_path):
    made = context(tmp_path, {})
    made.aws.dynamodb.create_table(TableName="ImageMetadata", **TABLE)
    made.aws.dynamodb.put_item(TableName="ImageMetadata", Item={"ImageID": {"S": "theirs"}})
    make_older_function(made)
    queue = made.aws.sqs.create_queue(QueueName="image-processing-queue-20240101-deadbeef")["QueueUrl"]
    source = made.aws.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    made.aws.functions.create_event_source_mapping(FunctionName="ImageProcessingFunction", EventSourceArn=source)
    made.aws.logs.create_log_group(logGroupName=GROUP)

    tear_down(made)

    assert len(made.aws.functions.list_event_source_mappings()["EventSourceMappings"]) == 1

    assert made.aws.dynamodb.scan(TableName="ImageMetadata")["Count"] == 1
    assert made.aws.functions.get_function_configuration(FunctionName="ImageProcessingFunction")
    assert made.aws.logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]


def test_a_setup_refuses_to_take_over_anothers_table(tmp_path):
    made = context(tmp_path, {})
    made.aws.dynamodb.create_table(TableName="ImageMetadata", **TABLE)

    with pytest.raises(CommandError, match="a table ImageMetadata that this deployment did not make: choose another"):
        set_up(made)


def test_a_setup_refuses_to_overwrite_anothers_function(tmp_path):
    made = context(tmp_path, {})
    make_older_function(made)

    with pytest.raises(CommandError, match="a function ImageProcessingFunction that this deployment did not make"):
        set_up(made)

    theirs = made.aws.functions.get_function_configuration(FunctionName="ImageProcessingFunction")
    assert (theirs["Handler"], theirs["Environment"]["Variables"]) == ("their.handler", {"THEIR": "own"})


def test_older_logs_are_kept_as_long_as_they_were(tmp_path):
    made = context(tmp_path, {})
    made.aws.logs.create_log_group(logGroupName=GROUP)

    set_up(made)

    [group] = made.aws.logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    assert "retentionInDays" not in group


def test_what_the_state_names_is_ours_without_a_tag_too(ready, tmp_path):
    arn = ready.aws.dynamodb.describe_table(TableName="ImageMetadata")["Table"]["TableArn"]
    ready.aws.dynamodb.untag_resource(ResourceArn=arn, TagKeys=["image-pipeline"])

    set_up(ready)

    assert ready.aws.dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"]


def test_what_others_may_send_to_the_queue_stays_allowed(ready):
    url = ready.resources["messages-queue"]
    attributes = ready.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]
    policy = json.loads(attributes["Policy"])
    theirs = {"Sid": "TheirSns", "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
              "Action": "sqs:SendMessage", "Resource": ready.resources["messages-queue-arn"]}  # fmt: skip
    policy["Statement"].append(theirs)
    ready.aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    before = changes(ready).copy()

    create_sqs_queue.create(ready)

    attributes = ready.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]
    assert theirs in json.loads(attributes["Policy"])["Statement"]
    assert changes(ready) == before


def test_a_trigger_that_somebody_switched_off_is_switched_on(ready):
    uuid = ready.resources["event-source-uuid"]
    ready.aws.functions.update_event_source_mapping(UUID=uuid, Enabled=False)

    add_sqs_trigger.create(ready)

    assert ready.aws.functions.get_event_source_mapping(UUID=uuid)["State"] == "Enabled"


def test_a_notification_of_others_that_leads_nowhere_holds_no_teardown_up(ready):
    def refuse(params, **_):
        if str(params["headers"].get("x-amz-skip-destination-validation")).lower() != "true":
            text = "Unable to validate the following destination configurations"
            raise ClientError({"Error": {"Code": "InvalidArgument", "Message": text}}, "PutBucketNotification")

    ready.aws.s3.meta.events.register("before-call.s3.PutBucketNotificationConfiguration", refuse)

    tear_down(ready)

    assert ready.aws.s3.list_buckets()["Buckets"] == []


def test_alarms_go_after_a_lost_state_too(ready, tmp_path):
    shelf = PlainShelf({})
    recovered = replace(context(tmp_path, {}), resources=Resources(shelf, f"{ACCOUNT}/{REGION}/default"))
    target, resources = recovered.aws.target, recovered.resources
    connection = Connection(target=target, aws=recovered.aws, shelf=shelf, resources=resources, home=tmp_path)
    recover(connection, lambda text: None)

    tear_down(recovered)

    assert ready.aws.cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_an_account_that_may_not_look_at_cloudwatch_needs_no_alarms(tmp_path):
    made = context(tmp_path, {})
    made.resources[ALARMS.key] = "off"

    def refuse(**_):
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "DescribeAlarms")

    made.aws.cloudwatch.meta.events.register("before-call.cloudwatch", refuse)

    set_up(made)
    tear_down(made)

    assert made.aws.functions.list_functions()["Functions"] == []


def test_a_policy_of_one_statement_without_a_list_is_one(ready):
    url = ready.resources["messages-queue"]
    theirs = {"Sid": "Theirs", "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage",
              "Resource": ready.resources["messages-queue-arn"]}  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": theirs})
    ready.aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    create_sqs_queue.create(ready)

    attributes = ready.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]
    assert len(json.loads(attributes["Policy"])["Statement"]) > 1
