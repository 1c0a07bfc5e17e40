"""What is made of images, as the state keeps it and as commands are told: `--variant-formats webp,avif` and so on."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import TypeVar

from pipeline.images.options import Preset, preset_in
from pipeline.images.variants import DEFAULT_WIDTHS, Variants, formats_in, listed, widths_in

T = TypeVar("T")

#: Keys of the state.
FORMATS, WIDTHS, PRESET = "variant-formats", "variant-widths", "preset"


def add_variant_options(parser: argparse._ActionsContainer, what_for: str) -> None:
    """Both options; `what_for` begins the help of the first."""
    parser.add_argument(
        f"--{FORMATS}", metavar="LIST", type=_read_by(formats_in), help=f"{what_for} webp, avif or both (default: none)"
    )
    parser.add_argument(
        f"--{WIDTHS}",
        metavar="LIST",
        type=_read_by(widths_in),
        help=f"… in these widths, in pixels (default: {listed(DEFAULT_WIDTHS)})",
    )


def variants_of(resources: Mapping[str, str]) -> Variants:
    """The variants of a deployment and how they are written, from its state."""
    formats, widths, preset = (resources.get(key) for key in (FORMATS, WIDTHS, PRESET))
    return Variants(
        formats_in(formats) if formats else (),
        widths_in(widths) if widths else DEFAULT_WIDTHS,
        preset_in(preset) if preset else Preset.BALANCED,
    )


def _read_by(read: Callable[[str], T]) -> Callable[[str], T]:
    def value(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return value
