"""What the resources of a deployment are called. Names are chosen once, then kept in the state."""

from __future__ import annotations

import secrets
from datetime import date

DEFAULT = "default"
#: Every resource carries this tag; its value is the deployment's name. Lost state is found again by it.
TAG = "image-pipeline"

IMAGES_BUCKET = "image-uploads-bucket"
THUMBNAILS_BUCKET = "image-thumbnails-bucket"
QUEUE = "image-processing-queue"
DEAD_LETTERS = "-dlq"
TABLE = "ImageMetadata"
STATS_TABLE = "ImageStats"
FUNCTION = "ImageProcessingFunction"
GALLERY_FUNCTION = "ImageGalleryFunction"
STATS_FUNCTION = "ImageStatsFunction"
#: Of the image service, whose queue has this name wherever its older consumers look for it.
IMAGE_QUEUE = "ImageQueue"
FIFO = ".fifo"
SERVICE_BUCKET = "image-service-bucket"
IMAGE_SERVICE_FUNCTION = "ImageServiceFunction"

#: Of AWS Batch; repositories take no capitals.
BATCH_SPOT, BATCH_ON_DEMAND = "ImageBatchSpot", "ImageBatchOnDemand"
BATCH_QUEUE = "ImageBatchQueue"
BATCH_JOB = "ImageBatchJob"
BATCH_EXECUTION = "ImageBatchExecution"
BATCH_REPOSITORY = "image-batch"
BATCH_FUNCTION = "ImageBatchFunction"


def unique(prefix: str, today: date) -> str:
    """`<prefix>-YYYYMMDD-` and 8 random hex digits: buckets of all accounts in the world share one name space."""
    return f"{prefix}-{today:%Y%m%d}-{secrets.token_hex(4)}"


def suffixed(base: str, name: str) -> str:
    """`base` for the default deployment, `base-<name>` for any other."""
    return base if name == DEFAULT else f"{base}-{name}"


def role(function: str, region: str) -> str:
    """Roles belong to the account, functions to a region."""
    return f"{function}-{region}"


def log_group(function: str) -> str:
    """Where Lambda writes what `function` prints; AWS gives this name."""
    return f"/aws/lambda/{function}"
