"""`setup.py --cloudfront`: a private bucket behind one host. What moto does not check, botocore's own rules do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from setup_scripts import create_cloudfront
from setup_scripts.create_cloudfront import WANTED
from setup_scripts.distribution import configuration
from setup_scripts.recover import tagged
from setup_scripts.setup_command import main
from setup_scripts.steps import set_up, tear_down
from tests.functional.aws_account import changes, context

pytestmark = pytest.mark.usefixtures("account")


@pytest.fixture
def ready(tmp_path, shelf):
    made = context(tmp_path, shelf)
    made.resources[WANTED] = "cloudfront"
    set_up(made)
    return made


def distribution(made) -> Any:
    return made.aws.cloudfront.get_distribution(Id=made.resources["cloudfront-id"])["Distribution"]


def test_page_pictures_and_api_share_one_host(ready):
    config = distribution(ready)["DistributionConfig"]

    origins = {origin["Id"]: origin["DomainName"] for origin in config["Origins"]["Items"]}
    paths = {entry["PathPattern"]: entry["TargetOriginId"] for entry in config["CacheBehaviors"]["Items"]}
    assert origins["page"] == f"{ready.resources['thumbnails-bucket']}.s3.us-east-1.amazonaws.com"
    assert origins["api"] in ready.resources["gallery-api-url"]
    assert paths == {"/images": "api", "/image": "api", "/stats": "api", "/openapi.json": "api"}
    assert config["DefaultCacheBehavior"]["TargetOriginId"] == "page"
    assert config["DefaultRootObject"] == "index.html"


def test_every_answer_says_that_its_type_is_not_to_be_guessed_and_that_it_stays_with_https(ready):
    config = distribution(ready)["DistributionConfig"]

    behaviours = [config["DefaultCacheBehavior"], *config["CacheBehaviors"]["Items"]]
    # AWS's own policy "SecurityHeadersPolicy", the same in every account.
    assert {one["ResponseHeadersPolicyId"] for one in behaviours} == {"67f7725c-6f97-4210-82d7-5512b31e9d03"}
    assert {one["ViewerProtocolPolicy"] for one in behaviours} == {"redirect-to-https"}


def test_the_bucket_is_read_by_the_distribution_and_by_nobody_else(ready):
    bucket = ready.resources["thumbnails-bucket"]

    blocked = ready.aws.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    statements = json.loads(ready.aws.s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]

    allowed = [statement for statement in statements if statement["Effect"] == "Allow"]
    assert all(blocked.values()) and len(blocked) == 4
    assert [statement["Principal"] for statement in allowed] == [{"Service": "cloudfront.amazonaws.com"}]
    assert allowed[0]["Condition"] == {"StringEquals": {"AWS:SourceArn": distribution(ready)["ARN"]}}


def test_a_public_deployment_becomes_private(tmp_path, shelf):
    public = context(tmp_path, shelf)
    set_up(public)
    private = context(tmp_path, shelf)
    private.resources[WANTED] = "cloudfront"

    set_up(private)

    bucket = private.resources["thumbnails-bucket"]
    policy = str(private.aws.s3.get_bucket_policy(Bucket=bucket)["Policy"])
    assert "ImagePipelinePublicRead" not in policy
    assert private.aws.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicPolicy"]


def test_a_statement_of_others_that_stands_in_no_list_stays(tmp_path, shelf):
    set_up(public := context(tmp_path, shelf))
    theirs = {"Sid": "theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::x"}
    s3, bucket = public.aws.s3, public.resources["thumbnails-bucket"]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": theirs}))
    private = context(tmp_path, shelf)
    private.resources[WANTED] = "cloudfront"

    set_up(private)

    statements = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert [one["Sid"] for one in statements] == ["theirs", "ImagePipelineCloudFrontRead", "ImagePipelineOnlyTls"]


def test_page_and_records_name_the_host(ready):
    host = ready.resources["cloudfront-url"]
    bucket = ready.resources["thumbnails-bucket"]

    config = json.loads(ready.aws.s3.get_object(Bucket=bucket, Key="assets/config.json")["Body"].read())
    processing = ready.aws.functions.get_function_configuration(FunctionName="ImageProcessingFunction")

    assert ready.resources["website-url"] == f"{host}/index.html"
    assert (config["api"], config["pictures"]) == ("/", "/")
    assert host in config["recorded"] and any(bucket in address for address in config["recorded"])
    assert processing["Environment"]["Variables"]["OUTPUTS_URL"] == host


def test_setting_up_again_changes_nothing_also_without_the_option(ready, tmp_path, shelf):
    again = context(tmp_path, shelf)

    set_up(again)

    assert changes(again) == []


def test_teardown_leaves_nothing(ready):
    tear_down(ready)

    cloudfront = ready.aws.cloudfront
    assert cloudfront.list_distributions()["DistributionList"].get("Items", []) == []
    assert cloudfront.list_origin_access_controls()["OriginAccessControlList"].get("Items", []) == []
    assert tagged(ready.aws) == []
    assert "cloudfront-url" not in ready.resources


def test_what_is_asked_for_passes_the_rules_of_the_service(ready):
    from botocore.validate import ParamValidator

    config = configuration("b", origin="b.s3.amazonaws.com", api="x.on.aws", access_control="E1")
    shape = ready.aws.cloudfront.meta.service_model.operation_model("CreateDistribution").input_shape

    assert not ParamValidator().validate({"DistributionConfig": config}, shape).has_errors()


def test_when_the_api_has_another_address_the_distribution_asks_there(ready, tmp_path, shelf):
    again = context(tmp_path, shelf)
    again.resources["gallery-api-url"] = "https://snapshots.lambda-url.us-east-1.on.aws/"

    create_cloudfront.create(again)

    origins = distribution(ready)["DistributionConfig"]["Origins"]["Items"]
    assert {origin["Id"]: origin["DomainName"] for origin in origins}["api"] == "snapshots.lambda-url.us-east-1.on.aws"
    assert changes(again)[0] == "UpdateDistribution"


def test_without_the_option_there_is_no_distribution(tmp_path, shelf):
    made = context(tmp_path, shelf)

    set_up(made)

    assert made.aws.cloudfront.list_distributions()["DistributionList"].get("Items", []) == []


def test_the_local_cloud_has_no_cloudfront(capsys):
    assert main(["--local", "--cloudfront"]) == 2
    assert "--cloudfront is for AWS" in capsys.readouterr().err


def test_a_distribution_that_was_switched_off_is_switched_on_by_the_next_setup(ready, tmp_path, shelf):
    cloudfront, name = ready.aws.cloudfront, ready.resources["cloudfront-id"]
    present = cloudfront.get_distribution_config(Id=name)
    off = {**present["DistributionConfig"], "Enabled": False}
    cloudfront.update_distribution(Id=name, IfMatch=present["ETag"], DistributionConfig=off)

    set_up(context(tmp_path, shelf))

    assert distribution(ready)["DistributionConfig"]["Enabled"]


def unverified(made):
    """Let CloudFront answer as it does in an account that AWS has not verified."""

    def refuse(**_):
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "must be verified"}}, "CreateDistribution")

    made.aws.cloudfront.meta.events.register("before-call.cloudfront.CreateDistributionWithTags", refuse)
    made.resources[WANTED] = "cloudfront"
    return made


def test_where_aws_gives_no_distribution_a_public_gallery_stays_public(tmp_path, shelf):
    set_up(public := context(tmp_path, shelf))
    bucket = public.resources["thumbnails-bucket"]

    with pytest.raises(ClientError, match="must be verified"):
        set_up(unverified(context(tmp_path, shelf)))

    blocked = public.aws.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert not blocked["RestrictPublicBuckets"]
    assert public.aws.cloudfront.list_origin_access_controls()["OriginAccessControlList"].get("Items", []) == []
    set_up(again := context(tmp_path, shelf))
    assert changes(again) == []


def test_where_aws_gives_no_distribution_a_new_bucket_is_read_by_nobody(tmp_path, shelf):
    made = unverified(context(tmp_path, shelf))

    with pytest.raises(ClientError, match="must be verified"):
        set_up(made)

    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        made.aws.s3.get_bucket_policy(Bucket=made.resources["thumbnails-bucket"])


def test_a_distribution_that_is_lost_is_still_wanted(ready, tmp_path, shelf):
    again = context(tmp_path, shelf)
    again.aws.cloudfront.meta.events.register(
        "after-call.cloudfront.ListDistributions", lambda parsed, **_: parsed["DistributionList"].update(Items=[])
    )

    with pytest.raises(ClientError, match="must be verified"):
        set_up(unverified(again))

    assert again.resources[WANTED] == "cloudfront"
