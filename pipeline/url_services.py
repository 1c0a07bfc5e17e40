"""What the jobs of URL messages work with: the edges, built once and shared by threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.budget import PixelBudget
from pipeline.deliveries import Deliveries
from pipeline.images.isolate import transform_isolated
from pipeline.images.transform import Transformed
from pipeline.redirects import Redirects
from pipeline.storage import Storage

if TYPE_CHECKING:
    from pipeline.sources import Fetched


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
