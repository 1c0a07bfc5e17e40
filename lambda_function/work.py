"""Which work this function does: that of the uploads, or that of messages with URLs. Its environment says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.clients import make_client
from pipeline.messages import Uploads, outputs_of
from pipeline.services import Services, connect
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.clients import CoreSession
    from pipeline.image_service.messages import Images
    from pipeline.image_service.services import UrlServices

#: A message is not begun with less time left than the slowest image may take, with a margin for S3.
LEAST_TIME_MS = 25_000
#: Seconds of silence. All tries of a call that is never answered end within the time above, so that its message comes
#: back alone: a function whose time is over sends back its whole batch.
READ_TIMEOUT = 4


@dataclass(frozen=True)
class Work:
    """What messages are read as, what their jobs work with, and the queue that they come from."""

    intake: Uploads | Images
    services: Services | UrlServices
    queue_url: str


def work_of(environ: Mapping[str, str], session: CoreSession) -> Work:
    """SettingsError for an environment that setup did not make."""
    return _url_work(environ, session) if "IMAGES_BUCKET" in environ else _upload_work(environ, session)


def _upload_work(environ: Mapping[str, str], session: CoreSession) -> Work:
    settings = Settings.from_environment(environ)
    s3 = make_client(session, "s3", read_timeout=READ_TIMEOUT)
    services = connect(settings, s3, make_client(session, "dynamodb", read_timeout=READ_TIMEOUT))
    uploads = Uploads(settings.uploads_bucket, outputs_of(settings.variants, settings.outputs_bucket))
    return Work(uploads, services, settings.queue_url)


def _url_work(environ: Mapping[str, str], session: CoreSession) -> Work:
    # Imported here: the function of the uploads never meets the web, and starts sooner without it.
    from pipeline.image_service.services import connect_urls
    from pipeline.image_service.settings import ImageSettings
    from pipeline.parameters import parameter_reader
    from pipeline.web.settings import OutboundSettings

    queue_url = environ["QUEUE_URL"]
    settings = ImageSettings.from_environment(environ, queue_url=queue_url)
    read = parameter_reader(lambda: make_client(session, "ssm", read_timeout=READ_TIMEOUT))
    outbound = OutboundSettings.from_environment(environ, read)
    s3 = make_client(session, "s3", read_timeout=READ_TIMEOUT)
    sqs = make_client(session, "sqs", read_timeout=READ_TIMEOUT)
    services = connect_urls(settings, outbound, s3=s3, sqs=sqs, queue_url=queue_url)
    return Work(settings.images, services, queue_url)
