"""Variants on the command line, and as the state keeps them: `--variant-formats webp,avif --variant-widths 320,640`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import TypeVar

from pipeline.images.variants import DEFAULT_WIDTHS, Variants, formats_in, listed, widths_in

T = TypeVar("T")

#: Keys of the state.
FORMATS, WIDTHS = "variant-formats", "variant-widths"


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
    """The variants of a deployment, from its state."""
    formats, widths = resources.get(FORMATS), resources.get(WIDTHS)
    return Variants(formats_in(formats) if formats else (), widths_in(widths) if widths else DEFAULT_WIDTHS)


def _read_by(read: Callable[[str], T]) -> Callable[[str], T]:
    def value(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return value
