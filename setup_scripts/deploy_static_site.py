"""Uploads the page in s3_static_website/ to the outputs bucket and tells it where API and pictures are."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import hashlib
import json
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cli.exits import CommandError
from pipeline.settings import ROOT
from setup_scripts.context import Context
from setup_scripts.lookup import look

SITE = ROOT / "s3_static_website"
INDEX = "index.html"
CONFIG = "assets/config.json"
#: Read again at every visit, since they change in place; the server answers 304 where they did not.
_REVALIDATE = "no-cache"
_AN_HOUR = "public, max-age=3600"
#: Not left to `mimetypes`, which asks the registry or the files of the machine it runs on.
_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True)
class Page:
    """One file of the site as it is served."""

    key: str
    data: bytes = field(repr=False)
    content_type: str
    cache_control: str


@dataclass(frozen=True)
class Site:
    """Where things are, as the page reaches them. `recorded`: the addresses by which records name the pictures."""

    url: str
    api: str
    pictures: str
    recorded: tuple[str, ...]

    @classmethod
    def of(cls, context: Context, *, api: str, pictures: str) -> Site:
        behind = context.resources.get("cloudfront-url")
        if behind:
            # One host for all of it. Records that are older than the distribution name the bucket.
            return cls(behind, "/", "/", (behind, pictures))
        if not context.aws.target.endpoint_url:
            return cls(pictures, api, pictures, (pictures,))
        # The local cloud has two names, 127.0.0.1 and localhost, which are two hosts to a browser: without a host,
        # the page finds everything where it was found itself.
        return cls(pictures, urlsplit(api).path, urlsplit(pictures).path, (pictures,))

    @property
    def config(self) -> bytes:
        return json.dumps({"api": self.api, "pictures": self.pictures, "recorded": list(self.recorded)}).encode()


def create(context: Context, folder: Path = SITE) -> None:
    bucket = context.resources.require("thumbnails-bucket", "setup_scripts/create_s3_buckets.py")
    api = context.resources.require("gallery-api-url", "setup_scripts/configure_lambda.py")
    pictures = context.bucket_url(bucket)
    site = Site.of(context, api=api, pictures=pictures)
    changed = [page for page in pages(folder, site) if _differs(context, bucket, page)]
    for page in changed:
        context.aws.s3.put_object(
            Bucket=bucket,
            Key=page.key,
            Body=page.data,
            ContentType=page.content_type,
            CacheControl=page.cache_control,
        )
    if changed:
        context.say(f"uploaded: {len(changed)} files of the page")
    context.resources["outputs-url"] = context.resources.get("cloudfront-url") or pictures
    context.resources["website-url"] = f"{site.url}/{INDEX}"


def delete(context: Context) -> None:
    """The page goes with its bucket."""
    for key in ("outputs-url", "website-url"):
        context.resources.pop(key, None)


def pages(folder: Path, site: Site) -> Iterator[Page]:
    """The files below `folder`, `index.html` last: whoever loads it finds all that it names."""
    if not (folder / INDEX).is_file():
        raise CommandError(f"{folder / INDEX} is missing: restore the folder from the repository")
    yield Page(CONFIG, site.config, _CONTENT_TYPES[".json"], _REVALIDATE)
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    for path in sorted(files, key=lambda path: (path.name == INDEX, path.relative_to(folder).as_posix())):
        key = path.relative_to(folder).as_posix()
        if key == CONFIG:
            continue
        data = path.read_bytes()
        if key == INDEX:
            data = fill(data.decode(), site).encode()
        yield Page(key, data, content_type(path), _AN_HOUR if path.suffix in (".woff2", ".ico") else _REVALIDATE)


def fill(html: str, site: Site) -> str:
    """`html` whose Content-Security-Policy names the origins of API and pictures, and whose preview has an address."""
    filled = html.replace(" __CONNECT_SRC__", _origin(site.api)).replace(" __IMG_SRC__", _origin(site.pictures))
    return filled.replace("__SITE_URL__", site.url)


def content_type(path: Path) -> str:
    """The Content-Type of a file by its suffix."""
    return _CONTENT_TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _origin(url: str) -> str:
    """The origin of `url`, after a space; nothing where it is the page's own, which the policy allows anyway."""
    parts = urlsplit(url)
    return f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""


def _differs(context: Context, bucket: str, page: Page) -> bool:
    present = look(lambda: context.aws.s3.head_object(Bucket=bucket, Key=page.key), "404", "NoSuchKey")
    if present is None:
        return True
    digest = hashlib.md5(page.data, usedforsecurity=False).hexdigest()
    here = (digest, page.content_type, page.cache_control)
    return here != (present["ETag"].strip('"'), present["ContentType"], present.get("CacheControl"))


if __name__ == "__main__":
    from setup_scripts.alone import main

    sys.exit(main(create, __doc__, Path(__file__).name))
