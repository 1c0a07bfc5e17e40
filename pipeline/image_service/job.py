"""What travels for a message with URLs: the images that it names, who is told, and how that ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import RejectError
from pipeline.images.options import ImageOptions
from pipeline.job import OutputWanted

#: Folders in the bucket of the images that only the service reads: replies that are on their way, and bodies that are
#: too large for a queue. Beside the images, not among them: everybody may read those.
DELIVERIES = "deliveries"
REDIRECTED = "redirected"


@dataclass(frozen=True)
class UrlSource:
    """An image on the web, and the field of the message that names it."""

    field: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Reply:
    """Who is told what became of a message. `id` is the same each time the same message comes, and of no other.

    `fields`: the message as it came, all of which is said again.
    """

    id: str
    fields: Mapping[str, Any]
    redirect_queue: str | None = None
    postback_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class UrlJob:
    """The images of one message, made of what lies at their URLs, and one reply about all of them."""

    sources: tuple[UrlSource, ...]
    outputs: tuple[OutputWanted, ...]
    reply: Reply
    deliveries: int = 1

    @property
    def image_options(self) -> ImageOptions:
        return ImageOptions(outputs=tuple((wanted.name, wanted.options) for wanted in self.outputs))


@dataclass(frozen=True)
class Answered:
    """How the job of a URL message ended: what the reply said, and what became of it at each of its two places.

    `told`: "sent", or why it was given up, by "redirect" and "postback". `errors`: why there is no image, by the field
    that names it.
    """

    job: UrlJob
    body: Mapping[str, Any]
    told: Mapping[str, str]
    errors: Mapping[str, RejectError] = field(default_factory=dict)
