"""Puts page, pictures and API behind one CloudFront host (`setup.py --cloudfront`); the bucket becomes private."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cli.exits import CommandError, Exit
from setup_scripts import configure_lambda, create_s3_buckets
from setup_scripts.context import Context
from setup_scripts.lookup import look

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_cloudfront.type_defs import DistributionConfigTypeDef

#: In the state: the deployment is to have a distribution, also on later runs without the option.
WANTED = "private-bucket"
#: Policies that AWS keeps for everybody: what is cached, what the API is told, and headers such as nosniff and HSTS.
_AS_ORIGIN_SAYS = "658327ea-f89d-4fab-a63d-7e88639e58f6"
_NOT_CACHED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
_ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-38738e2966ac"
_SECURITY_HEADERS = "67f7725c-6f97-4210-82d7-5512b31e9d03"
_API_PATHS = ("/images", "/image", "/stats", "/openapi.json")
_PAGE, _API = "page", "api"
#: Seconds that CloudFront may need until its edges have forgotten a distribution.
_DEADLINE = 1800.0
_PAUSE = 10.0


def create(context: Context) -> None:
    if WANTED not in context.resources:
        return
    if not context.aws.target.is_aws:
        raise CommandError("--cloudfront is for AWS: the local cloud has no CloudFront. Leave it out", Exit.WRONG_USE)
    cloudfront = context.aws.cloudfront
    bucket = context.resources.require("thumbnails-bucket", "setup_scripts/create_s3_buckets.py")
    control = _ensure_access_control(context, bucket)
    found = _find(cloudfront, bucket)
    if found is None:
        api = context.resources.require("gallery-api-url", "setup_scripts/configure_lambda.py")
        origin = f"{bucket}.s3.{context.aws.target.region}.amazonaws.com"
        wanted: Any = configuration(bucket, origin=origin, api=urlsplit(api).netloc, access_control=control)
        tags: Any = {"Items": [{"Key": key, "Value": value} for key, value in context.tags.items()]}
        cloudfront.create_distribution_with_tags(
            DistributionConfigWithTags={"DistributionConfig": wanted, "Tags": tags}
        )
        found = context.until(lambda: _find(cloudfront, bucket), what="CloudFront does not list the distribution")
        context.say(f"created: distribution {found['DomainName']} (its edges need some minutes)")
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


def configuration(bucket: str, *, origin: str, api: str, access_control: str) -> DistributionConfigTypeDef:
    """One host for three things: `origin` and `api` are the hosts of the bucket and of the function."""
    behaviours: Any = [{"PathPattern": path, **_behaviour(_API)} for path in _API_PATHS]
    return {
        # The same reference gives the same distribution: a setup that died right after making it finds it again.
        "CallerReference": bucket,
        "Comment": _comment(bucket),
        "Enabled": True,
        "DefaultRootObject": "index.html",
        "HttpVersion": "http2and3",
        "IsIPV6Enabled": True,
        "PriceClass": "PriceClass_100",
        "Origins": {"Quantity": 2, "Items": _origins(origin, api, access_control)},
        "DefaultCacheBehavior": _behaviour(_PAGE),
        "CacheBehaviors": {"Quantity": len(behaviours), "Items": behaviours},
        "ViewerCertificate": {"CloudFrontDefaultCertificate": True},
    }


def _origins(bucket_host: str, function_host: str, access_control: str) -> Any:
    page = {
        "Id": _PAGE,
        "DomainName": bucket_host,
        "OriginAccessControlId": access_control,
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    function = {
        "Id": _API,
        "DomainName": function_host,
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "https-only",
            "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
        },
    }
    return [page, function]


def _behaviour(origin: str) -> Any:
    methods = ["GET", "HEAD", "OPTIONS"] if origin == _API else ["GET", "HEAD"]
    return {
        "TargetOriginId": origin,
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": {
            "Quantity": len(methods),
            "Items": methods,
            "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]},
        },
        "Compress": True,
        "CachePolicyId": _NOT_CACHED if origin == _API else _AS_ORIGIN_SAYS,
        "ResponseHeadersPolicyId": _SECURITY_HEADERS,
        **({"OriginRequestPolicyId": _ALL_BUT_HOST} if origin == _API else {}),
    }


def _comment(bucket: str) -> str:
    return f"image-pipeline {bucket}"


def _find(cloudfront: CloudFrontClient, bucket: str) -> Any:
    pages = cloudfront.get_paginator("list_distributions").paginate()
    found = (entry for page in pages for entry in page["DistributionList"].get("Items", ()))
    return next((entry for entry in found if entry["Comment"] == _comment(bucket)), None)


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
