"""What the function of the image service is told: what setup was told, or else what it was told before."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from cli.signing_secrets import kept_secrets
from pipeline.image_service.settings import ImageSettings
from pipeline.web.settings import IN_SSM, OutboundSettings
from setup_scripts.context import Context
from setup_scripts.functions import IMAGE_SERVICE
from setup_scripts.lambda_functions import variables

#: Variables that setup hands on; one that is set, but empty, takes the value back.
HANDED_ON = (
    "IMAGES_PREFIX",
    "IMAGES_URL",
    "IMAGES_SIZES",
    "IMAGES_FIT",
    "IMAGES_FORMAT",
    "IMAGES_QUALITY",
    "REDIRECT_QUEUES",
    "POSTBACK_SIGNING_SECRETS",
    "POSTBACK_SECRET_KEY",
    "POSTBACK_ALLOW_HTTP",
    "FETCH_ALLOW_NETWORKS",
    "FETCH_ALLOW_PORTS",
)

_SECRETS = "POSTBACK_SIGNING_SECRETS"
#: In the state, where the secrets came from the file and not from the variable.
FROM_FILE = "image-service-secrets-file"


@dataclass(frozen=True)
class Told:
    """The function's environment, and what its rights follow from: prefix, queues, and parameters with secrets.

    `secrets_from_file`: they are read from the file again, whatever the function has, when setup runs again.
    """

    environment: dict[str, str]
    prefix: str
    redirect_queues: tuple[str, ...]
    parameters: tuple[str, ...]
    secrets_from_file: bool


def told(context: Context, bucket: str, environ: Mapping[str, str] = os.environ) -> Told:
    """SettingsError for what the function could not work with: it is better said here than in a log."""
    kept = {name: value for name, value in variables(context, IMAGE_SERVICE).items() if name in HANDED_ON}
    if FROM_FILE in context.resources:
        # Read anew: whoever changes a secret writes it there.
        kept.pop(_SECRETS, None)
    said = {name: environ[name].strip() for name in HANDED_ON if name in environ}
    chosen = {name: value for name, value in {**kept, **said}.items() if value}
    secrets_from_file = _SECRETS not in chosen
    if secrets_from_file:
        chosen[_SECRETS] = " ".join(kept_secrets(context.home).split())
    queue_url = context.resources["image-queue"]
    environment = {**chosen, "IMAGES_BUCKET": bucket, "QUEUE_URL": queue_url}
    settings = _checked(context, environment, queue_url)
    parameters = tuple(
        value.removeprefix(IN_SSM).lstrip("/") for value in environment.values() if value.startswith(IN_SSM)
    )
    return Told(environment, settings.images.prefix, settings.redirect_queues, parameters, secrets_from_file)


def _checked(context: Context, environment: Mapping[str, str], queue_url: str) -> ImageSettings:
    """As the function will read it, which knows where it is."""
    target = context.aws.target
    place = {"AWS_REGION": target.region, "AWS_LAMBDA_FUNCTION_NAME": IMAGE_SERVICE.base_name}
    if target.endpoint_url:
        place["AWS_ENDPOINT_URL"] = target.endpoint_url
    seen = {**environment, **place}
    OutboundSettings.from_environment(seen, lambda name: "whsec_" + "0" * 40)
    return ImageSettings.from_environment(seen, queue_url=queue_url)
