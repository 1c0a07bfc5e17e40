"""The one reader of the environment: a frozen value, and errors that name the variable, its value and the cure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar

from pipeline.images.options import Preset, preset_in
from pipeline.images.variants import DEFAULT_WIDTHS, Variants, formats_in, listed, widths_in

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_LOCAL_PORT = 4566
#: S3 Standard in us-east-1, in dollars.
DEFAULT_PRICE = Decimal("0.023")


class SettingsError(Exception):
    """A variable is missing or unusable; the text says which and how to set it right."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the functions are told when they are deployed.

    `outputs_url` is the address under which the outputs bucket is read, without a trailing slash;
    `uploads_url` likewise names the originals (not public). `price_per_gb_month` is what a gigabyte costs in a month,
    in whatever currency the reader thinks in. `variant_formats` in each of `variant_widths` are made of every image.
    """

    uploads_bucket: str
    outputs_bucket: str
    table_name: str
    outputs_url: str
    uploads_url: str
    queue_url: str
    function_timeout: int = 120
    public_capture_facts: bool = False
    stats_table_name: str = "ImageStats"
    price_per_gb_month: Decimal = DEFAULT_PRICE
    variant_formats: tuple[str, ...] = ()
    variant_widths: tuple[int, ...] = DEFAULT_WIDTHS
    image_preset: Preset = Preset.BALANCED

    @property
    def variants(self) -> Variants:
        return Variants(self.variant_formats, self.variant_widths, self.image_preset)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        settings = cls(
            uploads_bucket=_text(environ, "UPLOADS_BUCKET"),
            outputs_bucket=_text(environ, "OUTPUTS_BUCKET"),
            table_name=_text(environ, "TABLE_NAME"),
            outputs_url=_text(environ, "OUTPUTS_URL").rstrip("/"),
            uploads_url=_text(environ, "UPLOADS_URL").rstrip("/"),
            queue_url=_text(environ, "QUEUE_URL"),
            function_timeout=_number(environ, "FUNCTION_TIMEOUT", default=120),
            public_capture_facts=_switch(environ, "PUBLIC_CAPTURE_FACTS"),
            stats_table_name=environ.get("STATS_TABLE_NAME", "").strip() or "ImageStats",
            price_per_gb_month=price_per_gb_month(environ),
            variant_formats=_read(environ, "VARIANT_FORMATS", formats_in, default=()),
            variant_widths=_read(environ, "VARIANT_WIDTHS", widths_in, default=DEFAULT_WIDTHS),
            image_preset=_read(environ, "IMAGE_PRESET", preset_in, default=Preset.BALANCED),
        )
        if settings.uploads_bucket == settings.outputs_bucket:
            msg = (
                f"OUTPUTS_BUCKET={settings.outputs_bucket} is also UPLOADS_BUCKET: every output would be an upload "
                "and start the pipeline again. Use two buckets."
            )
            raise SettingsError(msg)
        return settings

    def to_environment(self) -> dict[str, str]:
        """The variables from which `from_environment` makes an equal value."""
        variants = {"VARIANT_FORMATS": listed(self.variant_formats), "VARIANT_WIDTHS": listed(self.variant_widths)}
        return {
            "UPLOADS_BUCKET": self.uploads_bucket,
            "OUTPUTS_BUCKET": self.outputs_bucket,
            "TABLE_NAME": self.table_name,
            "OUTPUTS_URL": self.outputs_url,
            "UPLOADS_URL": self.uploads_url,
            "QUEUE_URL": self.queue_url,
            "FUNCTION_TIMEOUT": str(self.function_timeout),
            "PUBLIC_CAPTURE_FACTS": str(self.public_capture_facts).lower(),
            "STATS_TABLE_NAME": self.stats_table_name,
            "PRICE_PER_GB_MONTH": str(self.price_per_gb_month),
            **(variants if self.variant_formats else {}),
            **({"IMAGE_PRESET": self.image_preset} if self.image_preset is not Preset.BALANCED else {}),
        }


def home(environ: Mapping[str, str]) -> Path:
    """The folder that holds `aws_resources.db`, `.local_cloud/` and `.build/`: the checkout, unless told otherwise."""
    return Path(environ.get("IMAGE_PIPELINE_HOME") or ROOT).expanduser().resolve()


def local_port(environ: Mapping[str, str]) -> int:
    """The loopback port of the local cloud."""
    port = _number(environ, "LOCAL_CLOUD_PORT", default=DEFAULT_LOCAL_PORT)
    if port > 65535:
        raise SettingsError(f"LOCAL_CLOUD_PORT={port} is no port (1 to 65535). Leave it out for {DEFAULT_LOCAL_PORT}.")
    return port


def price_per_gb_month(environ: Mapping[str, str]) -> Decimal:
    """What a gigabyte costs in a month, by which the gallery says what was saved."""
    value = environ.get("PRICE_PER_GB_MONTH", "").strip()
    if not value:
        return DEFAULT_PRICE
    try:
        price = Decimal(value)
    except InvalidOperation:
        price = Decimal(-1)
    if not (price.is_finite() and 0 <= price <= 1000):
        raise SettingsError(
            f"PRICE_PER_GB_MONTH={value!r} is not a price from 0 to 1000. Leave it out for {DEFAULT_PRICE}."
        )
    return price


def _text(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SettingsError(f"{name} is not set. setup.py sets it on the function; run `python setup.py` again.")
    return value


def _number(environ: Mapping[str, str], name: str, *, default: int) -> int:
    value = environ.get(name, "").strip()
    if not value:
        return default
    if not value.isdecimal() or int(value) == 0:
        raise SettingsError(f"{name}={value!r} is not a whole number above 0. Leave it out for {default}.")
    return int(value)


def _read(environ: Mapping[str, str], name: str, read: Callable[[str], T], *, default: T) -> T:
    value = environ.get(name, "").strip()
    if not value:
        return default
    try:
        return read(value)
    except ValueError as error:
        raise SettingsError(f"{name}: {error}") from error


def _switch(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "").strip().lower()
    if value not in ("", "true", "false"):
        raise SettingsError(f"{name}={value!r} is neither true nor false. Leave it out for false.")
    return value == "true"
