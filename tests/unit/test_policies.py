import json

import pytest

from setup_scripts import policies
from setup_scripts.write_permission_templates import FOLDER


def statements(policy):
    return {statement.get("Sid"): statement for statement in policy["Statement"]}


def test_the_templates_in_the_repository_are_those_that_setup_uses():
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}

    assert written == policies.templates()


#: For these AWS knows no resource: "Actions, resources, and condition keys" in the Service Authorization Reference.
WITHOUT_RESOURCE = {"sqs:ListQueues", "batch:ListJobs", "ecr:GetAuthorizationToken"}


@pytest.mark.parametrize("name", sorted(name for name in policies.templates() if name.endswith("_role.json")))
def test_a_function_may_nothing_by_wildcard(name):
    for statement in json.loads(policies.templates()[name])["Statement"]:
        assert statement["Effect"] == "Allow" and all("*" not in action for action in statement["Action"])
        assert "*" not in statement["Resource"] or set(statement["Action"]) <= WITHOUT_RESOURCE


def test_the_processing_function_can_change_pictures_but_not_the_page_nor_the_originals():
    policy = policies.processing_role(uploads="up", outputs="out", queue_arn="q", table_arn="t", log_group_arn="g")

    writing = {
        resource
        for statement in policy["Statement"]
        if {"s3:PutObject", "s3:DeleteObject"} & set(statement["Action"])
        for resource in statement["Resource"]
    }
    assert writing == {"arn:aws:s3:::out/thumbnails/*", "arn:aws:s3:::out/compressed/*"}


def test_everybody_reads_page_and_pictures_and_lists_nothing():
    read = statements(policies.outputs_bucket("out", tls=True))["ImagePipelinePublicRead"]

    assert read["Action"] == "s3:GetObject"
    assert sorted(resource.removeprefix("arn:aws:s3:::out/") for resource in read["Resource"]) == [
        "assets/*",
        "compressed/*",
        "index.html",
        "thumbnails/*",
    ]


def test_only_those_reads_go_without_tls():
    denied = statements(policies.outputs_bucket("out", tls=True))
    condition = {"Bool": {"aws:SecureTransport": "false"}}

    assert all(denied[sid]["Condition"] == condition for sid in denied if sid != "ImagePipelinePublicRead")
    assert denied["ImagePipelineOnlyTls"]["NotResource"] == denied["ImagePipelinePublicRead"]["Resource"]
    assert denied["ImagePipelineOnlyTlsChanges"]["NotAction"] == "s3:GetObject"


def test_only_our_bucket_in_our_account_may_write_to_the_queue():
    (statement,) = policies.queue("arn:q", "up", "123456789012")["Statement"]

    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": "arn:aws:s3:::up"},
        "StringEquals": {"aws:SourceAccount": "123456789012"},
    }
