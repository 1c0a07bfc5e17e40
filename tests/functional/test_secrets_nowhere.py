"""A setup on AWS, with credentials that nobody else has: they sign its calls, and are written nowhere."""

import json

import pytest

from cli.arguments import Choice
from cli.connection import connect
from setup_scripts.context import Context
from setup_scripts.steps import set_up
from tests.canaries import CANARIES, below, found_in
from tests.functional.aws_account import TappedAws

pytestmark = pytest.mark.usefixtures("account")


def everything_in(aws):
    """What the account holds after a setup: settings, policies, pages, tags."""
    functions = [aws.functions.get_function(FunctionName=one["FunctionName"]) for one in listed(aws.functions)]
    held = {
        "functions": functions,
        "queues": [
            aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
            for url in aws.sqs.list_queues()["QueueUrls"]
        ],
        "roles": [
            aws.iam.get_role_policy(RoleName=role["RoleName"], PolicyName="image-pipeline")
            for role in aws.iam.list_roles()["Roles"]
        ],
        "tables": [aws.dynamodb.scan(TableName=name) for name in aws.dynamodb.list_tables()["TableNames"]],
        "alarms": aws.cloudwatch.describe_alarms(),
    }
    texts = {name: json.dumps(value, default=str).encode() for name, value in held.items()}
    for bucket in aws.s3.list_buckets()["Buckets"]:
        for found in aws.s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            texts[found["Key"]] = aws.s3.get_object(Bucket=bucket["Name"], Key=found["Key"])["Body"].read()
    return texts


def listed(functions):
    return functions.list_functions()["Functions"]


@pytest.mark.parametrize("place", ["environment", ".env"])
def test_setup_writes_its_credentials_into_nothing(tmp_path, place, capsys):
    code = tmp_path / "function.zip"
    said: list[str] = []
    signatures: list[str] = []
    code.write_bytes(b"PK\x05\x06" + bytes(18))
    environ = {"IMAGE_PIPELINE_HOME": str(tmp_path / "home")}
    if place == "environment":
        environ |= CANARIES
    else:
        (tmp_path / "home").mkdir()
        lines = (f"{name.lower()}={value}" for name, value in CANARIES.items())
        (tmp_path / "home" / ".env").write_text("\n".join(lines))

    with connect(Choice(aws=True), environ=environ, say=said.append, wrap=TappedAws) as connection:
        connection.aws.s3.meta.events.register(
            "before-send.s3", lambda request, **_: signatures.append(str(request.headers["Authorization"]))
        )
        connection.remember()
        set_up(Context.of(connection, said.append, build=lambda runtime, home, say: code))
        held = everything_in(connection.aws)

    # They were those of this setup; a signature names the key, and never the secret.
    assert signatures and all(CANARIES["AWS_ACCESS_KEY_ID"] in signature for signature in signatures)
    assert CANARIES["AWS_SECRET_ACCESS_KEY"] not in str(signatures)
    assert {"index.html", "assets/config.json", "functions"} <= held.keys()
    printed = "\n".join([*said, *capsys.readouterr()]).encode()
    assert (
        found_in(held | below(tmp_path, but=(".env",)) | {"printed": printed, "held": repr(connection).encode()}) == []
    )
