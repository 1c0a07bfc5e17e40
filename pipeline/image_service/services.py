"""What the jobs of URL messages work with: the edges, built once and shared by threads."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pipeline.budget import PIXELS_IN_FLIGHT, PixelBudget
from pipeline.image_service.deliveries import Deliveries
from pipeline.image_service.redirects import Redirects
from pipeline.image_service.settings import ImageSettings
from pipeline.images.isolate import transform_isolated
from pipeline.images.nursery import Nursery
from pipeline.images.transform import Transformed
from pipeline.storage import Storage
from pipeline.web.guard import Guard
from pipeline.web.notifications import Postbacks
from pipeline.web.outbound import Outbound
from pipeline.web.settings import OutboundSettings
from pipeline.web.sources import Fetched, Fetcher

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, kw_only=True)
class UrlServices:
    """`fetch`: `Fetcher.fetch`; `postback`: `Postbacks.send`; `isolated`: `transform` in a child process.

    `images_url`: the address under which the images bucket is read, without a trailing slash.
    """

    fetch: Callable[[str], Fetched]
    storage: Storage
    redirects: Redirects
    postback: Callable[[str, Mapping[str, Any], str], None]
    deliveries: Deliveries
    budget: PixelBudget
    images_url: str
    isolated: Callable[..., Transformed] = transform_isolated


def connect_urls(
    settings: ImageSettings, outbound: OutboundSettings, *, s3: S3Client, sqs: SQSClient, queue_url: str
) -> UrlServices:
    """The services for messages from the queue at `queue_url`; the clients are the caller's, made once."""
    reached = Outbound(Guard(networks=outbound.networks, ports=outbound.ports))
    postbacks = Postbacks(
        reached, signers=outbound.signers, secret_key=outbound.secret_key, allow_http=outbound.allow_http
    )
    return UrlServices(
        fetch=Fetcher(reached).fetch,
        storage=Storage(s3),
        redirects=Redirects(
            sqs,
            s3,
            allowed=settings.redirect_queues,
            own_queue_url=queue_url,
            bucket=settings.images.bucket,
            refresh_after=settings.refresh_after,
        ),
        postback=postbacks.send,
        deliveries=Deliveries(s3, settings.images.bucket),
        budget=PixelBudget(PIXELS_IN_FLIGHT),
        images_url=settings.images_url,
        isolated=_isolated(),
    )


def _isolated() -> Callable[..., Transformed]:
    """Every image from the web is decoded in a child: where that can be had, in a copy that needs no start."""
    return partial(transform_isolated, start=Nursery().start) if sys.platform == "linux" else transform_isolated
