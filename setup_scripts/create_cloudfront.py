"""Puts page, pictures and API behind one CloudFront host (`setup.py --cloudfront`); the bucket becomes private."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from cli.exits import CommandError, Exit
from setup_scripts import configure_lambda, create_s3_buckets
from setup_scripts.context import Context
from setup_scripts.distribution import API, comment, configuration
from setup_scripts.lookup import look

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

#: In the state: the deployment is to have a distribution, also on later runs without the option.
WANTED = create_s3_buckets.PRIVATE
#: Seconds that CloudFront may need until its edges have forgotten a distribution.
_DEADLINE = 1800.0
_PAUSE = 10.0


def create(context: Context) -> None:
    if WANTED not in context.resources:
        return
    if not context.aws.target.is_aws:
        raise CommandError("--cloudfront is for AWS: the local cloud has no CloudFront. Leave it out", Exit.WRONG_USE)
    bucket = context.resources.require("thumbnails-bucket", "setup_scripts/create_s3_buckets.py")
    url = context.resources.require("gallery-api-url", "setup_scripts/configure_lambda.py")
    api = urlsplit(url).netloc
    try:
        found = _ensure_distribution(context, bucket, api)
    except ClientError:
        _give_up(context, bucket)
        raise
    _ask_at(context, found, api)
    context.resources["cloudfront-id"] = found["Id"]
    context.resources["cloudfront-url"] = f"https://{found['DomainName']}"
    create_s3_buckets.close_outputs(context, bucket, found["ARN"])
    # Now that the host is known, records name the pictures by it.
    configure_lambda.create(context)


def delete(context: Context) -> None:
    bucket = context.resources.get("thumbnails-bucket")
    if bucket and context.aws.target.is_aws and WANTED in context.resources:
        _delete_distribution(context, bucket)
        _delete_access_control(context.aws.cloudfront, bucket)
    for key in ("cloudfront-id", "cloudfront-url", WANTED):
        context.resources.pop(key, None)


def is_deployed(context: Context) -> bool:
    """Whether all edges know the distribution as it is now; true without one."""
    present = context.resources.get("cloudfront-id")
    if present is None:
        return True
    return context.aws.cloudfront.get_distribution(Id=present)["Distribution"]["Status"] == "Deployed"


def _ensure_distribution(context: Context, bucket: str, api: str) -> Any:
    cloudfront = context.aws.cloudfront
    control = _ensure_access_control(context, bucket)
    found = _find(cloudfront, bucket)
    if found is None:
        origin = f"{bucket}.s3.{context.aws.target.region}.amazonaws.com"
        wanted: Any = configuration(bucket, origin=origin, api=api, access_control=control)
        tags: Any = {"Items": [{"Key": key, "Value": value} for key, value in context.tags.items()]}
        cloudfront.create_distribution_with_tags(
            DistributionConfigWithTags={"DistributionConfig": wanted, "Tags": tags}
        )
        found = context.until(lambda: _find(cloudfront, bucket), what="CloudFront does not list the distribution")
        context.say(f"created: distribution {found['DomainName']} (its edges need some minutes)")
    return found


def _give_up(context: Context, bucket: str) -> None:
    """A wish that never came true is forgotten: it would hold up every later setup."""
    if "cloudfront-url" in context.resources:
        return
    with suppress(ClientError):
        _delete_access_control(context.aws.cloudfront, bucket)
    del context.resources[WANTED]
    context.say("there is no distribution, and the bucket stays as it is: without --cloudfront setup does without")


def _ask_at(context: Context, found: Any, host: str) -> None:
    """Let the distribution ask for the API at `host`: with SnapStart it has another address than without.

    One that a teardown switched off before it died is switched on again.
    """
    if found["Enabled"] and any(origin["DomainName"] == host for origin in found["Origins"]["Items"]):
        return
    cloudfront = context.aws.cloudfront
    present = cloudfront.get_distribution_config(Id=found["Id"])
    config: Any = present["DistributionConfig"]
    for origin in config["Origins"]["Items"]:
        if origin["Id"] == API:
            origin["DomainName"] = host
    config["Enabled"] = True
    cloudfront.update_distribution(Id=found["Id"], IfMatch=present["ETag"], DistributionConfig=config)
    context.say(f"updated: distribution {found['DomainName']} (its edges need some minutes)")


def _find(cloudfront: CloudFrontClient, bucket: str) -> Any:
    pages = cloudfront.get_paginator("list_distributions").paginate()
    found = (entry for page in pages for entry in page["DistributionList"].get("Items", ()))
    return next((entry for entry in found if entry["Comment"] == comment(bucket)), None)


def _ensure_access_control(context: Context, bucket: str) -> str:
    cloudfront = context.aws.cloudfront
    present = _find_access_control(cloudfront, bucket)
    if present is not None:
        return str(present["Id"])
    made = cloudfront.create_origin_access_control(
        OriginAccessControlConfig={
            "Name": bucket,
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
    )
    context.say(f"created: origin access control {bucket}")
    return str(made["OriginAccessControl"]["Id"])


def _find_access_control(cloudfront: CloudFrontClient, bucket: str) -> Any:
    listed = cloudfront.list_origin_access_controls()["OriginAccessControlList"]
    return next((entry for entry in listed.get("Items", ()) if entry["Name"] == bucket), None)


def _delete_distribution(context: Context, bucket: str) -> None:
    """CloudFront deletes only what is switched off, and what all its edges know to be switched off."""
    cloudfront = context.aws.cloudfront
    found = _find(cloudfront, bucket)
    if found is None:
        return
    present = cloudfront.get_distribution_config(Id=found["Id"])
    if present["DistributionConfig"]["Enabled"]:
        config: Any = {**present["DistributionConfig"], "Enabled": False}
        cloudfront.update_distribution(Id=found["Id"], IfMatch=present["ETag"], DistributionConfig=config)
        context.say(f"switched off: distribution {found['DomainName']} (waiting for its edges, up to 15 minutes)")
    deployed = context.until(
        lambda: (
            (answer := cloudfront.get_distribution(Id=found["Id"]))["Distribution"]["Status"] == "Deployed" and answer
        ),
        what=f"the edges still know distribution {found['DomainName']}",
        deadline=_DEADLINE,
        pause=_PAUSE,
    )
    cloudfront.delete_distribution(Id=found["Id"], IfMatch=deployed["ETag"])
    context.say(f"deleted: distribution {found['DomainName']}")


def _delete_access_control(cloudfront: CloudFrontClient, bucket: str) -> None:
    present = _find_access_control(cloudfront, bucket)
    if present is not None:
        etag = cloudfront.get_origin_access_control(Id=present["Id"])["ETag"]
        look(
            lambda: cloudfront.delete_origin_access_control(Id=present["Id"], IfMatch=etag),
            "NoSuchOriginAccessControl",
        )


if __name__ == "__main__":
    from setup_scripts.alone import main

    sys.exit(main(create, __doc__, Path(__file__).name, shows=("cloudfront-url",)))
