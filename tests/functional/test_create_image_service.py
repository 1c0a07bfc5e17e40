"""`setup.py --with-image-service`, in an AWS account in memory."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from cli.dead_letters import redrive
from cli.exits import CommandError
from pipeline.queues import Queue
from pipeline.settings import SettingsError
from setup_scripts.create_image_service import WANTED
from setup_scripts.image_service_settings import HANDED_ON
from setup_scripts.recover import found_names, tagged
from setup_scripts.steps import set_up, tear_down
from tests.functional.aws_account import ACCOUNT, REGION, changes, context


@pytest.fixture(autouse=True)
def nothing_said(account, monkeypatch):
    for name in HANDED_ON:
        monkeypatch.delenv(name, raising=False)


def with_service(home, shelf, **options):
    made = context(home, shelf, **options)
    made.resources[WANTED] = "wanted"
    set_up(made)
    return made


def attributes(made, key):
    url = made.resources[key]
    return made.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def environment(made):
    present = made.aws.functions.get_function_configuration(FunctionName="ImageServiceFunction")
    return present["Environment"]["Variables"]


def statements(made):
    role = f"ImageServiceFunction-{REGION}"
    document = made.aws.iam.get_role_policy(RoleName=role, PolicyName="image-pipeline")["PolicyDocument"]
    return {one["Sid"]: one for one in document["Statement"]}


def test_queue_dead_letters_bucket_and_function_are_made_and_connected(tmp_path):
    made = with_service(tmp_path, {})

    queue, dead = attributes(made, "image-queue"), attributes(made, "image-dead-letter-queue")
    assert made.resources["image-queue"].endswith("/ImageQueue.fifo")
    assert made.resources["image-dead-letter-queue"].endswith("/ImageQueue-dlq.fifo")
    assert queue["FifoQueue"] == dead["FifoQueue"] == "true" and queue["VisibilityTimeout"] == "1080"
    redrive = json.loads(queue["RedrivePolicy"])
    assert (redrive["deadLetterTargetArn"], int(redrive["maxReceiveCount"])) == (dead["QueueArn"], 5)
    function = made.aws.functions.get_function_configuration(FunctionName="ImageServiceFunction")
    assert (function["Handler"], function["Timeout"]) == ("lambda_function.handler.lambda_handler", 180)
    [mapping] = made.aws.functions.list_event_source_mappings(FunctionName="ImageServiceFunction")[
        "EventSourceMappings"
    ]
    assert (mapping["EventSourceArn"], mapping["BatchSize"]) == (queue["QueueArn"], 1)
    assert environment(made)["IMAGES_BUCKET"] == made.resources["service-bucket"]
    assert environment(made)["POSTBACK_SIGNING_SECRETS"].startswith("whsec_")


def test_a_setup_that_is_not_told_of_it_makes_nothing_of_it(tmp_path):
    made = context(tmp_path, {})
    set_up(made)

    assert not [arn for arn in tagged(made.aws) if "ImageQueue" in arn or "service" in arn.lower()]


def test_a_second_setup_changes_nothing_and_need_not_be_told_again(tmp_path):
    shelf: dict[str, Any] = {}
    with_service(tmp_path, shelf)

    again = context(tmp_path, shelf)
    set_up(again)

    assert changes(again) == []


def test_everybody_reads_the_images_and_nothing_else(tmp_path):
    made = with_service(tmp_path, {})

    bucket = made.resources["service-bucket"]
    policy = json.loads(made.aws.s3.get_bucket_policy(Bucket=bucket)["Policy"])
    public = [one for one in policy["Statement"] if one["Effect"] == "Allow"]
    assert [(one["Action"], one["Resource"]) for one in public] == [
        ("s3:GetObject", [f"arn:aws:s3:::{bucket}/images-resized/*"])
    ]
    rules = made.aws.s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert {(rule["Filter"]["Prefix"], rule["Expiration"]["Days"]) for rule in rules} == {
        ("deliveries/", 15),
        ("redirected/", 15),
    }


def test_the_queues_that_results_may_go_to_are_the_rights_of_the_role(tmp_path, monkeypatch):
    shelf: dict[str, Any] = {}
    none = statements(with_service(tmp_path, shelf))
    monkeypatch.setenv("REDIRECT_QUEUES", "ChannelImages, Episode*")
    set_up(made := context(tmp_path, shelf))

    assert "Redirect" not in none and "FindQueues" not in none
    here = f"arn:aws:sqs:{REGION}:{ACCOUNT}"
    assert statements(made)["Redirect"]["Resource"] == [f"{here}:ChannelImages", f"{here}:Episode*"]


def test_what_setup_was_told_holds_until_it_is_told_otherwise(tmp_path, monkeypatch):
    shelf: dict[str, Any] = {}
    monkeypatch.setenv("REDIRECT_QUEUES", "ChannelImages")
    monkeypatch.setenv("IMAGES_PREFIX", "small")
    with_service(tmp_path, shelf)

    monkeypatch.delenv("REDIRECT_QUEUES")
    monkeypatch.setenv("IMAGES_PREFIX", "")
    set_up(made := context(tmp_path, shelf))

    assert environment(made)["REDIRECT_QUEUES"] == "ChannelImages"
    assert "IMAGES_PREFIX" not in environment(made)
    assert statements(made)["WriteImages"]["Resource"][0].endswith("/images-resized/*")


def test_a_secret_in_a_parameter_can_be_read_and_no_other(tmp_path, monkeypatch):
    monkeypatch.setenv("POSTBACK_SECRET_KEY", "ssm:/image-service/key")

    made = with_service(tmp_path, {})

    assert environment(made)["POSTBACK_SECRET_KEY"] == "ssm:/image-service/key"
    [arn] = statements(made)["ReadSecrets"]["Resource"]
    assert arn == f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/image-service/key"


@pytest.mark.parametrize(
    ("name", "value"),
    [("FETCH_ALLOW_NETWORKS", "10.0.0.0/8"), ("IMAGES_SIZES", "large"), ("REDIRECT_QUEUES", "a/b")],
)
def test_what_the_function_could_not_work_with_is_refused_by_setup(tmp_path, monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=name):
        with_service(tmp_path, {})


def test_the_queue_of_an_older_service_is_neither_taken_over_nor_deleted(tmp_path):
    shelf: dict[str, Any] = {}
    made = context(tmp_path, shelf)
    theirs = made.aws.sqs.create_queue(QueueName="ImageQueue.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]

    with pytest.raises(CommandError, match="did not make"):
        with_service(tmp_path, shelf)
    tear_down(context(tmp_path, shelf))

    assert made.aws.sqs.list_queues()["QueueUrls"] == [theirs]


def test_its_dead_letters_go_back_to_its_own_queue(tmp_path, capsys):
    made = context(tmp_path, {})
    # Queues alone: moto's function would take the message away.
    for key in ("messages-queue", "dead-letter-queue", "image-queue", "image-dead-letter-queue"):
        fifo: Any = {"FifoQueue": "true"} if "image" in key else {}
        created = made.aws.sqs.create_queue(QueueName=key + ".fifo" * bool(fifo), Attributes=fifo)
        made.resources[key] = created["QueueUrl"]
    group: Any = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    dead = made.aws.sqs.send_message(QueueUrl=made.resources["image-dead-letter-queue"], MessageBody="{}", **group)
    connection: Any = SimpleNamespace(aws=made.aws, resources=made.resources)

    count = redrive(connection, dry_run=False, as_json=False)

    received = Queue(made.aws.sqs, made.resources["image-queue"]).receive(visibility=60, wait=0)
    assert count == 1 and (received.message.message_id, received.message.deliveries) == (dead["MessageId"], 2)
    assert "1 dead letters sent back" in capsys.readouterr().err


def test_teardown_leaves_nothing_of_it(tmp_path):
    shelf: dict[str, Any] = {}
    made = with_service(tmp_path, shelf)
    made.aws.s3.put_object(Bucket=made.resources["service-bucket"], Key="images-resized/a.jpeg", Body=b"x")

    tear_down(context(tmp_path, shelf))

    assert tagged(made.aws) == [] and made.aws.s3.list_buckets()["Buckets"] == []
    assert not [key for key in shelf if "service" in key or "image-queue" in key]


def test_lost_state_is_found_again_by_its_tags(tmp_path):
    made = with_service(tmp_path, {}, name="blue")

    found = found_names(made.aws)

    assert found[WANTED] == "wanted" and found["service-bucket"] == made.resources["service-bucket"]
    assert made.resources["image-queue"].endswith("/ImageQueue-blue.fifo")


def test_secrets_are_read_from_the_file_again_where_they_came_from_it(tmp_path, monkeypatch):
    shelf: dict[str, Any] = {}
    made = with_service(tmp_path, shelf)
    path = tmp_path / ".postback_signing_secrets"
    first = path.read_text().strip()
    path.write_text(f"whsec_{'b' * 43}=\n{first}\n")

    again = with_service(tmp_path, shelf)
    assert environment(made)["POSTBACK_SIGNING_SECRETS"] == f"whsec_{'b' * 43}= {first}"
    assert changes(again) == ["UpdateFunctionConfiguration"]

    monkeypatch.setenv("POSTBACK_SIGNING_SECRETS", f"whsec_{'c' * 43}=")
    with_service(tmp_path, shelf)
    monkeypatch.delenv("POSTBACK_SIGNING_SECRETS")
    with_service(tmp_path, shelf)
    assert environment(made)["POSTBACK_SIGNING_SECRETS"] == f"whsec_{'c' * 43}="
