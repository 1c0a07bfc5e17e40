"""What the image service is told: where images go, in which sizes, and whom it may tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline.clients import is_loopback
from pipeline.image_service.job import DELIVERIES, REDIRECTED
from pipeline.image_service.messages import Images
from pipeline.images.formats import FORMATS
from pipeline.images.options import OutputOptions
from pipeline.settings import SettingsError

DEFAULT_PREFIX = "images-resized"
#: In the spelling that receivers look for.
DEFAULT_SIZES = "50x50,250X250,800x800"
DEFAULT_QUALITY = 80
DEFAULT_CALLS = 100_000
#: The second is what the older program read, whatever its documentation said.
CALLS = ("CALLS_TO_UPDATE_LIST_SQS_QUEUES", "NUMBER_CALLS_TO_UPDATE_SQS_QUEUE_LIST")
_SIZE = re.compile(r"([1-9]\d{0,4})[xX]([1-9]\d{0,4})")
_PREFIX = re.compile(r"[\w.-]+(?:/[\w.-]+)*", re.ASCII)
_QUEUE_NAME = re.compile(r"[\w*?-]{1,80}(?:\.fifo)?", re.ASCII)
_REGION = re.compile(r"(?:^|\.)(?:sqs\.)?([a-z]{2}(?:-[a-z]+)+-\d)\.", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class ImageSettings:
    """`images_url`: the address under which the bucket is read, without a trailing slash.

    `redirect_queues`: patterns of the names of queues that results may go to; none means that none may.
    `refresh_after`: how often messages are received until the queues that are known are looked up anew.
    """

    images: Images
    images_url: str
    redirect_queues: tuple[str, ...] = ()
    refresh_after: int = DEFAULT_CALLS

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], *, queue_url: str = "") -> ImageSettings:
        """`queue_url` says where we are, where nothing else does."""
        bucket = environ.get("IMAGES_BUCKET", "").strip()
        if not bucket:
            raise SettingsError(
                "IMAGES_BUCKET is not set. Name the bucket that takes the images: IMAGES_BUCKET=images-ch"
            )
        endpoint_url = endpoint(environ, queue_url)
        base = endpoint_url or f"https://s3.{region(environ, queue_url) or 'us-east-1'}.amazonaws.com"
        return cls(
            images=Images(bucket, _prefix(environ), _sizes(environ)),
            images_url=(environ.get("IMAGES_URL", "").strip() or f"{base}/{bucket}").rstrip("/"),
            redirect_queues=_patterns(environ, "*" if is_loopback(endpoint_url) else ""),
            refresh_after=_calls(environ),
        )


def endpoint(environ: Mapping[str, str], queue_url: str = "") -> str | None:
    """The address of an AWS-like service; a queue on this machine's loopback gives it away. None means AWS."""
    address = environ.get("AWS_ENDPOINT_URL", "").strip().rstrip("/")
    if address:
        return address
    parts = urlsplit(queue_url)
    return f"{parts.scheme}://{parts.netloc}" if is_loopback(queue_url) else None


def region(environ: Mapping[str, str], queue_url: str = "") -> str | None:
    """The region that is named, else the one in the address of the queue."""
    named = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    return named or region_in(queue_url)


def region_in(queue_url: str) -> str | None:
    """The region in `https://sqs.us-east-2.amazonaws.com/…`, in its older form `us-east-2.queue.…` too."""
    found = _REGION.search(urlsplit(queue_url).netloc)
    return found[1] if found else None


def _prefix(environ: Mapping[str, str]) -> str:
    prefix = environ.get("IMAGES_PREFIX", "").strip() or DEFAULT_PREFIX
    if not _PREFIX.fullmatch(prefix) or {".", ".."} & set(prefix.split("/")):
        raise SettingsError(
            f"IMAGES_PREFIX={prefix!r} is not made of letters, digits, . _ - and inner slashes, as {DEFAULT_PREFIX}"
        )
    if prefix.split("/")[0] in (DELIVERIES, REDIRECTED):
        raise SettingsError(f"IMAGES_PREFIX={prefix!r}: what lies there is not public, and expires. Take another name")
    return prefix


def _sizes(environ: Mapping[str, str]) -> tuple[tuple[str, OutputOptions], ...]:
    text = environ.get("IMAGES_SIZES", "").strip() or DEFAULT_SIZES
    names = [name.strip() for name in text.split(",")]
    found = {name: _SIZE.fullmatch(name) for name in names}
    if not all(found.values()) or len(found) < len(names):
        raise SettingsError(f"IMAGES_SIZES={text!r} is no list of different sizes. One looks like {DEFAULT_SIZES}")
    form, quality, cover = _format(environ), _quality(environ), _covers(environ)
    return tuple(
        (name, OutputOptions(fit=(int(size[1]), int(size[2])), format=form, quality=quality, cover=cover))
        for name, size in found.items()
        if size
    )


def _covers(environ: Mapping[str, str]) -> bool:
    fit = environ.get("IMAGES_FIT", "").strip().lower() or "contain"
    if fit not in ("contain", "cover"):
        raise SettingsError(f"IMAGES_FIT={fit!r} is neither contain nor cover. Leave it out for contain.")
    return fit == "cover"


def _format(environ: Mapping[str, str]) -> str | None:
    name = environ.get("IMAGES_FORMAT", "").strip().upper()
    written = sorted(form.name for form in FORMATS.values() if form.written)
    if name and name not in written:
        raise SettingsError(
            f"IMAGES_FORMAT={name!r} is none of {', '.join(written)}. Leave it out to keep the format of each image."
        )
    return name or None


def _quality(environ: Mapping[str, str]) -> int:
    quality = _number(environ, "IMAGES_QUALITY", DEFAULT_QUALITY)
    if quality > 100:
        raise SettingsError(f"IMAGES_QUALITY={quality} is not from 1 to 100. Leave it out for {DEFAULT_QUALITY}.")
    return quality


def _calls(environ: Mapping[str, str]) -> int:
    name = next((name for name in CALLS if environ.get(name, "").strip()), CALLS[0])
    return _number(environ, name, DEFAULT_CALLS)


def _patterns(environ: Mapping[str, str], default: str) -> tuple[str, ...]:
    text = environ.get("REDIRECT_QUEUES", "").strip() or default
    patterns = tuple(one.strip() for one in text.split(",") if one.strip())
    wrong = [one for one in patterns if not _QUEUE_NAME.fullmatch(one)]
    if wrong:
        raise SettingsError(f"REDIRECT_QUEUES: {wrong[0]!r} is no name of a queue, nor one with * in it, as Channel*")
    return patterns


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    value = environ.get(name, "").strip()
    if not value:
        return default
    if not (value.isascii() and value.isdecimal() and int(value)):
        raise SettingsError(f"{name}={value!r} is not a whole number above 0. Leave it out for {default}.")
    return int(value)
