"""Packages and configures the three functions, and gives the gallery's its public address."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import os

from cli.variants import variants_of
from pipeline.settings import Settings, price_per_gb_month
from setup_scripts import package
from setup_scripts.context import Context
from setup_scripts.functions import FUNCTIONS, GALLERY, PROCESSING, Function
from setup_scripts.gallery_url import ensure_public_url
from setup_scripts.lambda_functions import configuration, delete_function, ensure_function, variables
from setup_scripts.log_groups import ensure_log_groups
from setup_scripts.switches import CAPTURE_FACTS


def create(context: Context) -> None:
    ensure_log_groups(context)
    runtime = runtime_for(context, PROCESSING)
    code = context.build(runtime, context.home, say=context.say).read_bytes()
    environment = settings(context).to_environment()
    for function in FUNCTIONS:
        ensure_function(context, function, environment, code, runtime.machine)
    context.resources["gallery-api-url"] = ensure_public_url(context)


def delete(context: Context) -> None:
    for function in reversed(FUNCTIONS):
        delete_function(context, function)
    context.resources.pop("gallery-api-url", None)


def settings(context: Context) -> Settings:
    """What all functions are told through their environment."""
    buckets = "setup_scripts/create_s3_buckets.py"
    uploads = context.resources.require("images-bucket", buckets)
    outputs = context.resources.require("thumbnails-bucket", buckets)
    variants = variants_of(context.resources)
    return Settings(
        uploads_bucket=uploads,
        outputs_bucket=outputs,
        table_name=context.resources.require("dynamodb-table", "setup_scripts/create_dynamodb_table.py"),
        queue_url=context.resources.require("messages-queue", "setup_scripts/create_sqs_queue.py"),
        uploads_url=context.bucket_url(uploads),
        outputs_url=context.resources.get("cloudfront-url") or context.bucket_url(outputs),
        function_timeout=PROCESSING.timeout,
        stats_table_name=context.resources.require("stats-table", "setup_scripts/create_stats_table.py"),
        # Told once, it holds for later setups.
        price_per_gb_month=price_per_gb_month({**variables(context, GALLERY), **os.environ}),
        public_capture_facts=CAPTURE_FACTS.is_on(context.resources),
        variant_formats=variants.formats,
        variant_widths=variants.widths,
        image_preset=variants.preset,
    )


def runtime_for(context: Context, function: Function) -> package.Runtime:
    """What the zip is for: the wanted architecture, else that of the function that stands, else the default."""
    if not context.aws.target.is_aws:
        return package.local_runtime()
    present = configuration(context, function)
    standing = present["Architectures"][0] if present and "Architectures" in present else package.DEFAULT_ARCHITECTURE
    return package.aws_runtime(context.architecture or standing)


if __name__ == "__main__":
    from setup_scripts.alone import main

    sys.exit(main(create, __doc__, Path(__file__).name))
