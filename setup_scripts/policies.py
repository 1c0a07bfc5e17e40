"""Every policy that setup writes: pure functions from names to JSON. `permission_templates/` is made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Policy = dict[str, Any]

#: What of the outputs bucket everybody may read: the page and the pictures, and no list of them.
PUBLIC = ("index.html", "assets/*", "thumbnails/*", "compressed/*")
#: What the processing function may change there; never the page.
OUTPUT_FOLDERS = ("thumbnails/*", "compressed/*")


def policy(*statements: Mapping[str, Any]) -> Policy:
    return {"Version": "2012-10-17", "Statement": [dict(statement) for statement in statements]}


def statements(text: str | None) -> list[dict[str, Any]]:
    """The statements of a policy in JSON, none where there is none; one alone need not stand in a list."""
    found = json.loads(text or "{}").get("Statement", [])
    return [found] if isinstance(found, dict) else found


def allow(sid: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    """One statement."""
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}


def lambda_trust() -> Policy:
    """Lambda, and nobody else, may take the role."""
    return policy({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"})


def processing_role(*, uploads: str, outputs: str, queue_arn: str, table_arn: str, log_group_arn: str) -> Policy:
    """The rights of ImageProcessingFunction. ListBucket: without it a missing object answers 403 instead of 404."""
    folders = [f"arn:aws:s3:::{outputs}/{folder}" for folder in OUTPUT_FOLDERS]
    return policy(
        allow("ReadUploads", ["s3:GetObject"], [f"arn:aws:s3:::{uploads}/*"]),
        allow("WriteOutputs", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], folders),
        allow("TellMissingFromForbidden", ["s3:ListBucket"], [f"arn:aws:s3:::{uploads}", f"arn:aws:s3:::{outputs}"]),
        allow("KeepRecords", ["dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"], [table_arn]),
        consume(queue_arn),
        logs(log_group_arn),
    )


def gallery_role(*, table_arn: str, stats_table_arn: str, log_group_arn: str) -> Policy:
    """The rights of ImageGalleryFunction: reading records and totals."""
    return policy(
        allow("ReadRecord", ["dynamodb:GetItem"], [table_arn]),
        allow("ListRecords", ["dynamodb:Query"], [f"{table_arn}/index/*"]),
        allow("ReadTotals", ["dynamodb:BatchGetItem"], [stats_table_arn]),
        logs(log_group_arn),
    )


def stats_role(*, table_arn: str, stats_table_arn: str, log_group_arn: str) -> Policy:
    """The rights of ImageStatsFunction: reading the changes of the table, as Lambda does for it, and counting them."""
    read = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"]
    return policy(
        allow("ReadChanges", read, [f"{table_arn}/stream/*"]),
        # A transaction asks for the right of each of its actions.
        allow("KeepTotals", ["dynamodb:PutItem", "dynamodb:UpdateItem"], [stats_table_arn]),
        logs(log_group_arn),
    )


def uploads_bucket(bucket: str) -> Policy:
    """Nobody reaches the originals without TLS; who may reach them is for IAM to say."""
    return policy(_only_tls(bucket, [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]))


def outputs_bucket(bucket: str, *, tls: bool, public: Sequence[str] = PUBLIC) -> Policy:
    """Everybody reads the page and the pictures. `tls`: all else needs TLS; website endpoints have none."""
    readable = [f"arn:aws:s3:::{bucket}/{path}" for path in public]
    read = {
        "Sid": "ImagePipelinePublicRead",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": readable,
    }
    if not tls:
        return policy(read)
    everything_else = {**_only_tls(bucket, []), "NotResource": readable}
    del everything_else["Resource"]
    changes = {
        **_only_tls(bucket, [f"arn:aws:s3:::{bucket}/*"]),
        "Sid": "ImagePipelineOnlyTlsChanges",
        "NotAction": "s3:GetObject",
    }
    del changes["Action"]
    return policy(read, everything_else, changes)


def private_outputs_bucket(bucket: str, distribution_arn: str) -> Policy:
    """One distribution, and nobody else, reads the page and the pictures; nothing goes without TLS."""
    return policy(
        {
            "Sid": "ImagePipelineCloudFrontRead",
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": [f"arn:aws:s3:::{bucket}/{path}" for path in PUBLIC],
            "Condition": {"StringEquals": {"AWS:SourceArn": distribution_arn}},
        },
        _only_tls(bucket, [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]),
    )


def queue(queue_arn: str, bucket: str, account: str) -> Policy:
    """The uploads bucket of this account, and no other bucket, may announce objects."""
    return policy(
        {
            "Sid": "ImagePipelineUploads",
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": {
                "ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"},
                "StringEquals": {"aws:SourceAccount": account},
            },
        }
    )


def consume(queue_arn: str) -> dict[str, Any]:
    """The statement of a function that a queue triggers."""
    # Lambda itself receives and deletes through the role; the function moves the visibility of what it returns.
    actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"]
    return allow("ConsumeQueue", actions, [queue_arn])


def logs(log_group_arn: str) -> dict[str, Any]:
    """The statement of every function."""
    return allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{log_group_arn}:*"])


def _only_tls(bucket: str, resources: list[str]) -> dict[str, Any]:
    return {
        "Sid": "ImagePipelineOnlyTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": resources,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def templates() -> dict[str, str]:
    """File name → text of every policy, with placeholders where setup puts the names of a deployment."""
    from setup_scripts import batch_policies, image_service_policies

    uploads, outputs, account, here = "<uploads bucket>", "<outputs bucket>", "<account>", "<region>:<account>"
    queue_arn = f"arn:aws:sqs:{here}:<queue>"
    documents = {
        "lambda_trust.json": lambda_trust(),
        **_roles(uploads, outputs, queue_arn, here),
        "uploads_bucket.json": uploads_bucket(uploads),
        "outputs_bucket.json": outputs_bucket(outputs, tls=True),
        "private_outputs_bucket.json": private_outputs_bucket(
            outputs, f"arn:aws:cloudfront::{account}:distribution/<distribution>"
        ),
        "queue.json": queue(queue_arn, uploads, account),
        **batch_policies.documents(),
        **image_service_policies.documents(),
    }
    return {name: json.dumps(document, indent=2) + "\n" for name, document in documents.items()}


def _roles(uploads: str, outputs: str, queue_arn: str, here: str) -> dict[str, Policy]:
    """Of the three functions that every deployment has."""
    table_arn = f"arn:aws:dynamodb:{here}:table/ImageMetadata"
    tables = {"table_arn": table_arn, "stats_table_arn": f"arn:aws:dynamodb:{here}:table/ImageStats"}
    group_arn = f"arn:aws:logs:{here}:log-group:/aws/lambda"
    processing = processing_role(
        uploads=uploads,
        outputs=outputs,
        queue_arn=queue_arn,
        table_arn=table_arn,
        log_group_arn=f"{group_arn}/ImageProcessingFunction",
    )
    return {
        "processing_role.json": processing,
        "gallery_role.json": gallery_role(**tables, log_group_arn=f"{group_arn}/ImageGalleryFunction"),
        "stats_role.json": stats_role(**tables, log_group_arn=f"{group_arn}/ImageStatsFunction"),
    }
