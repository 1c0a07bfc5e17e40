"""Creates the two buckets: uploads (private, versioned) and outputs (thumbnails, compressed images, the page)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cli import names
from setup_scripts import policies
from setup_scripts.context import Context
from setup_scripts.emptying import empty_bucket
from setup_scripts.lookup import look, merged, says, tag_list

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import PublicAccessBlockConfigurationTypeDef

NONCURRENT_DAYS = 30
INCOMPLETE_UPLOAD_DAYS = 7
_RULE_ID = "image-pipeline"
#: In the state: the outputs are to be read through a distribution, and not by everybody.
PRIVATE = "private-bucket"


def create(context: Context) -> None:
    uploads = ensure_bucket(context, "images-bucket", names.IMAGES_BUCKET)
    set_public_access(context, uploads, open_to_policies=False)
    _keep_versions(context, uploads)
    _expire_versions(context, uploads)
    if context.aws.target.is_aws:
        set_policy(context, uploads, policies.uploads_bucket(uploads))

    outputs = ensure_bucket(context, "thumbnails-bucket", names.THUMBNAILS_BUCKET)
    if PRIVATE in context.resources:
        # A new bucket is closed. One that everybody reads stays open until the distribution is there, or nobody would.
        return
    set_public_access(context, outputs, open_to_policies=True)
    set_policy(context, outputs, policies.outputs_bucket(outputs, tls=context.aws.target.is_aws))
    _serve_website(context, outputs)


def close_outputs(context: Context, bucket: str, distribution_arn: str) -> None:
    """Take from everybody the right to read the outputs bucket, and give it to one distribution."""
    ours = policies.private_outputs_bucket(bucket, distribution_arn)
    answer = look(lambda: context.aws.s3.get_bucket_policy(Bucket=bucket), "NoSuchBucketPolicy")
    present = policies.statements(answer["Policy"] if answer else None)
    others = [statement for statement in present if not str(statement.get("Sid", "")).startswith("ImagePipeline")]
    wanted = policies.policy(*others, *ours["Statement"])
    _settle(
        policies.policy(*present),
        wanted,
        lambda: context.aws.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(wanted)),
    )
    set_public_access(context, bucket, open_to_policies=False)


def delete(context: Context) -> None:
    _delete_bucket(context, "thumbnails-bucket")
    if context.keep_originals:
        context.say(f"kept: bucket {context.resources.get('images-bucket', '')} with its originals")
        return
    _delete_bucket(context, "images-bucket")


def _delete_bucket(context: Context, key: str) -> None:
    bucket = context.resources.get(key)
    if bucket is None:
        return
    delete_bucket(context, bucket)
    del context.resources[key]


def delete_bucket(context: Context, bucket: str) -> None:
    """Delete `bucket` with all versions of all objects; one that is gone already is no error."""
    if not _exists(context, bucket):
        return

    def empty_and_delete() -> None:
        empty_bucket(context.aws.s3, bucket)
        look(lambda: context.aws.s3.delete_bucket(Bucket=bucket), "NoSuchBucket")

    # A function that was running when its trigger went may still write for a while.
    context.settled(empty_and_delete, not_yet=lambda error: says(error, "BucketNotEmpty"))
    context.say(f"deleted: bucket {bucket}")


def ensure_bucket(context: Context, key: str, prefix: str) -> str:
    bucket = context.unique_name(key, prefix)
    if not _exists(context, bucket):
        region = context.aws.target.region
        place: dict[str, Any] = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        context.aws.s3.create_bucket(Bucket=bucket, **(place if region != "us-east-1" else {}))
        context.say(f"created: bucket {bucket}")
    _tag(context, bucket)
    return bucket


def _exists(context: Context, bucket: str) -> bool:
    return look(lambda: context.aws.s3.head_bucket(Bucket=bucket), "404", "NoSuchBucket") is not None


def _tag(context: Context, bucket: str) -> None:
    answer = look(lambda: context.aws.s3.get_bucket_tagging(Bucket=bucket), "NoSuchTagSet")
    present: list[Any] = list(answer["TagSet"]) if answer else []
    wanted: list[Any] = merged(present, tag_list(context.tags), "Key")
    _settle(present, wanted, lambda: context.aws.s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": wanted}))


def set_public_access(context: Context, bucket: str, *, open_to_policies: bool) -> None:
    s3 = context.aws.s3
    wanted: PublicAccessBlockConfigurationTypeDef = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": not open_to_policies,
        "RestrictPublicBuckets": not open_to_policies,
    }
    present = look(lambda: s3.get_public_access_block(Bucket=bucket), "NoSuchPublicAccessBlockConfiguration")
    _settle(
        present and present["PublicAccessBlockConfiguration"],
        wanted,
        lambda: s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=wanted),
    )


def _keep_versions(context: Context, bucket: str) -> None:
    s3 = context.aws.s3
    _settle(
        s3.get_bucket_versioning(Bucket=bucket).get("Status"),
        "Enabled",
        lambda: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}),
    )


def _expire_versions(context: Context, bucket: str) -> None:
    rule = {
        "ID": _RULE_ID,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": NONCURRENT_DAYS},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": INCOMPLETE_UPLOAD_DAYS},
        "Expiration": {"ExpiredObjectDeleteMarker": True},
    }
    expire(context, bucket, [rule])


def expire(context: Context, bucket: str, rules: list[dict[str, Any]]) -> None:
    """Put our lifecycle rules among those of others."""
    s3 = context.aws.s3
    call = look(lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket), "NoSuchLifecycleConfiguration")
    present: list[Any] = list(call["Rules"]) if call else []
    wanted: list[Any] = merged(present, rules, "ID")
    _settle(
        present,
        wanted,
        lambda: s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": wanted}),
    )


def set_policy(context: Context, bucket: str, ours: policies.Policy) -> None:
    s3 = context.aws.s3
    answer = look(lambda: s3.get_bucket_policy(Bucket=bucket), "NoSuchBucketPolicy")
    present = policies.statements(answer["Policy"] if answer else None)
    wanted = merged(present, ours["Statement"], "Sid")

    def put() -> None:
        # For some seconds after Block Public Access was opened, S3 still refuses a public policy.
        context.settled(
            lambda: s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policies.policy(*wanted))),
            not_yet=lambda error: says(error, "BlockPublicPolicy", "public access"),
            deadline=30,
        )

    _settle(present, wanted, put)


def _serve_website(context: Context, bucket: str) -> None:
    s3 = context.aws.s3
    answer = look(lambda: s3.get_bucket_website(Bucket=bucket), "NoSuchWebsiteConfiguration")
    _settle(
        answer and answer.get("IndexDocument"),
        {"Suffix": "index.html"},
        lambda: s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}}),
    )


def _settle(present: object, wanted: object, act: Callable[[], object]) -> None:
    if present != wanted:
        act()


if __name__ == "__main__":
    from setup_scripts.alone import main

    sys.exit(main(create, __doc__, Path(__file__).name))
