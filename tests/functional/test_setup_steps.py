import json
from dataclasses import replace

import pytest

from cli.commit import checked_out_release
from setup_scripts import add_sqs_trigger, create_s3_buckets, create_sqs_queue
from setup_scripts.add_sqs_trigger import maximum_concurrency
from setup_scripts.recover import tagged
from setup_scripts.steps import set_up, tear_down
from tests.functional.aws_account import changes, context

pytestmark = pytest.mark.usefixtures("account")


def test_everything_that_the_older_system_kept_is_in_the_state(ready):
    kept = {
        "images-bucket",
        "thumbnails-bucket",
        "messages-queue",
        "messages-queue-arn",
        "dynamodb-table",
        "dynamodb-table-arn",
        "lambda-function",
        "labrole-arn",
        "event-source-uuid",
        "website-url",
    }

    assert kept | {"gallery-api-url", "dead-letter-queue"} <= ready.resources.keys()
    assert ready.resources["messages-queue"].startswith("https://")


def test_a_second_setup_changes_nothing(ready, tmp_path, shelf):
    before = dict(shelf)
    second = context(tmp_path, shelf)

    set_up(second)

    assert changes(second) == []
    assert shelf == before


def test_teardown_leaves_nothing_and_a_second_one_finds_nothing_to_do(ready, tmp_path, shelf):
    uploads = ready.resources["images-bucket"]
    for _ in range(3):
        ready.aws.s3.put_object(Bucket=uploads, Key="a.jpg", Body=b"x")
    ready.aws.s3.delete_object(Bucket=uploads, Key="a.jpg")
    ready.aws.s3.create_multipart_upload(Bucket=uploads, Key="unfinished")

    tear_down(ready)

    assert tagged(ready.aws) == []
    assert ready.aws.s3.list_buckets()["Buckets"] == []
    assert ready.aws.sqs.list_queues().get("QueueUrls", []) == []
    assert ready.aws.dynamodb.list_tables()["TableNames"] == []
    assert ready.aws.functions.list_functions()["Functions"] == []
    assert ready.aws.iam.list_roles()["Roles"] == []
    assert ready.aws.logs.describe_log_groups()["logGroups"] == []
    assert ready.aws.cloudwatch.describe_alarms()["MetricAlarms"] == []
    assert ready.aws.cloudwatch.list_dashboards()["DashboardEntries"] == []
    again = context(tmp_path, shelf)
    tear_down(again)
    assert changes(again) == []


def test_originals_can_be_kept_and_are_no_longer_announced(ready, tmp_path, shelf):
    uploads = ready.resources["images-bucket"]
    ready.aws.s3.put_object(Bucket=uploads, Key="a.jpg", Body=b"x")

    tear_down(context(tmp_path, shelf, keep_originals=True))

    assert ready.aws.s3.get_object(Bucket=uploads, Key="a.jpg")["Body"].read() == b"x"
    assert not ready.aws.s3.get_bucket_notification_configuration(Bucket=uploads).get("QueueConfigurations")


def test_two_deployments_stand_beside_each_other(ready, tmp_path, shelf):
    blue = context(tmp_path, shelf, name="blue")
    set_up(blue)

    tear_down(ready)

    assert blue.resources["dynamodb-table"] == "ImageMetadata-blue"
    assert blue.resources["messages-queue"].endswith("-blue")
    assert blue.aws.dynamodb.list_tables()["TableNames"] == ["ImageMetadata-blue", "ImageStats-blue"]
    assert len(blue.aws.s3.list_buckets()["Buckets"]) == 2
    set_up(again := context(tmp_path, shelf, name="blue"))
    assert changes(again) == []


def test_another_region_works_too(tmp_path, shelf):
    frankfurt = context(tmp_path, shelf, region="eu-central-1")

    set_up(frankfurt)

    bucket = frankfurt.resources["images-bucket"]
    assert frankfurt.aws.s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == "eu-central-1"
    assert frankfurt.resources["website-url"].startswith(
        f"https://{frankfurt.resources['thumbnails-bucket']}.s3.eu-central-1.amazonaws.com/"
    )


def test_notifications_and_tags_and_rules_of_others_stay(ready, tmp_path, shelf):
    s3, bucket = ready.aws.s3, ready.resources["images-bucket"]
    theirs = ready.aws.sqs.create_queue(QueueName="theirs")["QueueUrl"]
    arn = ready.aws.sqs.get_queue_attributes(QueueUrl=theirs, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    entry = {"Id": "theirs", "QueueArn": arn, "Events": ["s3:ObjectCreated:Put"]}
    rule = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 1}}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [entry]})
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "owner", "Value": "ana"}]})
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})

    create_s3_buckets.create(context(tmp_path, shelf))
    add_sqs_trigger.create(context(tmp_path, shelf))

    queues = s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    tags = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert {queue["Id"] for queue in queues} == {"theirs", "image-pipeline"}
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"owner": "ana", "image-pipeline": "default"}
    assert {rule["ID"] for rule in rules} == {"theirs", "image-pipeline"}


def test_what_somebody_changed_is_put_right(ready, tmp_path, shelf):
    ready.aws.sqs.set_queue_attributes(
        QueueUrl=ready.resources["messages-queue"], Attributes={"VisibilityTimeout": "1"}
    )
    ready.aws.functions.update_function_configuration(FunctionName="ImageProcessingFunction", MemorySize=128)
    ready.aws.functions.update_event_source_mapping(UUID=ready.resources["event-source-uuid"], BatchSize=1)

    set_up(second := context(tmp_path, shelf))

    assert set(changes(second)) == {
        "SetQueueAttributes",
        "UpdateEventSourceMapping",
        "UpdateFunctionConfiguration",
    }


def test_the_queue_gives_a_message_five_tries_and_keeps_dead_ones_fourteen_days(ready):
    def attributes(key):
        return ready.aws.sqs.get_queue_attributes(QueueUrl=ready.resources[key], AttributeNames=["All"])["Attributes"]

    queue, dead = attributes("messages-queue"), attributes("dead-letter-queue")
    assert json.loads(queue["RedrivePolicy"])["maxReceiveCount"] == 5
    assert queue["VisibilityTimeout"] == "720"
    assert dead["MessageRetentionPeriod"] == str(14 * 24 * 3600)
    assert ready.resources["dead-letter-queue"] == ready.resources["messages-queue"] + "-dlq"


def test_the_table_has_its_key_three_indexes_and_a_stream(ready):
    table = ready.aws.dynamodb.describe_table(TableName="ImageMetadata")["Table"]

    keys = {
        index["IndexName"]: tuple(key["AttributeName"] for key in index["KeySchema"])
        for index in table["GlobalSecondaryIndexes"]
    }
    assert table["KeySchema"] == [{"AttributeName": "ImageID", "KeyType": "HASH"}]
    assert keys == {
        "Newest": ("Feed", "ProcessedAt"),
        "ByKey": ("Feed", "ImageID"),
        "Problems": ("Failing", "ProcessedAt"),
    }
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    for index in table["GlobalSecondaryIndexes"]:
        assert {"TakenAt", "CameraModel"} <= set(index["Projection"]["NonKeyAttributes"])
        assert len(index["Projection"]["NonKeyAttributes"]) <= 20


def test_the_functions_are_configured_as_designed(ready):
    processing = ready.aws.functions.get_function(FunctionName="ImageProcessingFunction")
    configuration = processing["Configuration"]

    assert configuration["Handler"] == "lambda_function.handler.lambda_handler"
    assert configuration["Runtime"] == "python3.13"
    assert configuration["Architectures"] == ["arm64"]
    assert (configuration["MemorySize"], configuration["Timeout"]) == (1792, 120)
    assert configuration["Environment"]["Variables"]["UPLOADS_BUCKET"] == ready.resources["images-bucket"]
    assert processing["Tags"] == {"image-pipeline": "default"}
    listed = ready.aws.functions.list_event_source_mappings(FunctionName="ImageProcessingFunction")
    (mapping,) = listed["EventSourceMappings"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 50}


def test_the_architecture_can_be_chosen_and_then_stays(tmp_path, shelf):
    set_up(first := context(tmp_path, shelf, architecture="x86_64"))

    set_up(again := context(tmp_path, shelf))

    functions = first.aws.functions.list_functions()["Functions"]
    assert {tuple(function["Architectures"]) for function in functions} == {("x86_64",)}
    assert changes(again) == []


def test_new_code_finds_the_variables_that_it_needs(ready, tmp_path, shelf):
    ready.aws.functions.update_function_configuration(
        FunctionName="ImageProcessingFunction", Environment={"Variables": {}}
    )

    set_up(other := context(tmp_path, shelf, architecture="x86_64"))

    assert changes(other)[:2] == ["UpdateFunctionConfiguration", "UpdateFunctionCode"]


def test_another_architecture_replaces_the_code_of_every_function(ready, tmp_path, shelf):
    set_up(other := context(tmp_path, shelf, architecture="x86_64"))

    assert changes(other) == ["UpdateFunctionCode"] * 3


def test_changes_of_the_table_are_counted_from_the_first_on(ready):
    listed = ready.aws.functions.list_event_source_mappings(FunctionName="ImageStatsFunction")

    (mapping,) = listed["EventSourceMappings"]
    assert ":table/ImageMetadata/stream/" in mapping["EventSourceArn"]
    # With the totals themselves that makes 100 actions, the most that a transaction takes.
    assert mapping["BatchSize"] == 99
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert ready.aws.dynamodb.describe_time_to_live(TableName="ImageStats")["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "ExpiresAt",
    }


def test_capture_facts_are_shown_only_where_that_was_switched_on(ready, tmp_path, shelf):
    def variables():
        return ready.aws.functions.get_function_configuration(FunctionName="ImageGalleryFunction")["Environment"]

    assert variables()["Variables"]["PUBLIC_CAPTURE_FACTS"] == "false"
    ready.resources["public-capture-facts"] = "on"

    set_up(context(tmp_path, shelf))

    assert variables()["Variables"]["PUBLIC_CAPTURE_FACTS"] == "true"


def test_variants_reach_the_functions_and_go_when_they_are_switched_off(ready, tmp_path, shelf):
    def variables():
        found = ready.aws.functions.get_function_configuration(FunctionName="ImageProcessingFunction")["Environment"]
        return {name: value for name, value in found["Variables"].items() if name.startswith("VARIANT")}

    assert variables() == {}
    ready.resources.update({"variant-formats": "webp,avif", "variant-widths": "320,640"})
    set_up(context(tmp_path, shelf))
    assert variables() == {"VARIANT_FORMATS": "webp,avif", "VARIANT_WIDTHS": "320,640"}

    again = context(tmp_path, shelf)
    set_up(again)
    assert changes(again) == []
    del again.resources["variant-formats"], again.resources["variant-widths"]
    set_up(context(tmp_path, shelf))

    assert variables() == {}


def test_a_price_that_was_told_once_holds_for_later_setups_until_it_is_taken_back(ready, tmp_path, shelf, monkeypatch):
    def price():
        told = ready.aws.functions.get_function_configuration(FunctionName="ImageGalleryFunction")
        return told["Environment"]["Variables"]["PRICE_PER_GB_MONTH"]

    monkeypatch.setenv("PRICE_PER_GB_MONTH", "0.02")
    set_up(context(tmp_path, shelf))
    monkeypatch.delenv("PRICE_PER_GB_MONTH")
    set_up(again := context(tmp_path, shelf))
    assert (price(), changes(again)) == ("0.02", [])

    monkeypatch.setenv("PRICE_PER_GB_MONTH", "")
    set_up(context(tmp_path, shelf))
    assert price() == "0.023"


def test_every_function_tells_its_version_in_its_description(ready):
    told = {entry["Description"] for entry in ready.aws.functions.list_functions()["Functions"]}

    assert len(told) == 3
    assert all(text.startswith(f"image-pipeline {checked_out_release()}: ") for text in told)


def test_everybody_may_call_the_gallery_through_its_address_only(ready):
    policy = json.loads(ready.aws.functions.get_policy(FunctionName="ImageGalleryFunction")["Policy"])

    rights = {statement["Sid"]: statement["Action"] for statement in policy["Statement"]}
    assert rights == {"public-url": "lambda:InvokeFunctionUrl", "public-invoke": "lambda:InvokeFunction"}


def test_the_originals_are_private_and_versioned_and_old_versions_expire(ready):
    s3, bucket = ready.aws.s3, ready.resources["images-bucket"]

    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}


@pytest.mark.parametrize(
    ("unreserved", "expected"), [(1000, 100), (200, 100), (120, 60), (10, 5), (5, 2), (3, 2), (0, 2)]
)
def test_the_queue_takes_at_most_half_of_what_the_account_has_free(unreserved, expected):
    assert maximum_concurrency(unreserved) == expected


def test_two_first_setups_at_once_draw_one_name(tmp_path, shelf):
    class Day:
        """While one setup draws a name, the other does so, too."""

        def __format__(self, form):
            drawn.append(other.unique_name("images-bucket", "bucket"))
            return "20260101"

    one, other = replace(context(tmp_path, shelf), today=Day()), context(tmp_path, shelf)  # type: ignore[arg-type]
    drawn: list[str] = []
    drawn.append(one.unique_name("images-bucket", "bucket"))

    assert drawn == [one.resources["images-bucket"]] * 2


def test_a_step_that_comes_too_early_names_the_one_before_it(tmp_path, shelf):
    from cli.exits import CommandError

    with pytest.raises(CommandError, match="create_s3_buckets.py"):
        create_sqs_queue.create(context(tmp_path, shelf))
