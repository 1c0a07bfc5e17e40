"""Variants: the modern formats and the widths among which a page lets the browser choose (`srcset`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.images.options import ImageOptions, Limits, OutputOptions, Preset

#: Format → quality; AVIF at 55 looks as good as WebP at 80: docs/variants.md has the figures.
QUALITIES = {"WEBP": 80, "AVIF": 55}
DEFAULT_WIDTHS = (320, 640, 1280)
SMALLEST_WIDTH, LARGEST_WIDTH, MOST_WIDTHS = 16, 8192, 8
#: The height is whatever the width makes it.
_ANY_HEIGHT = Limits().max_side


@dataclass(frozen=True)
class Variants:
    """Each of `formats` in each of `widths` (pixels), narrowest first; without formats there are none.

    `preset`: how these are written, and all that is made besides.
    """

    formats: tuple[str, ...] = ()
    widths: tuple[int, ...] = DEFAULT_WIDTHS
    preset: Preset = Preset.BALANCED

    @property
    def outputs(self) -> tuple[tuple[str, OutputOptions], ...]:
        """Names, such as `avif-640`, and options; an image that is narrower keeps its width."""
        return tuple(
            (f"{form.lower()}-{width}", _options(form, width)) for width in self.widths for form in self.formats
        )

    @property
    def image_options(self) -> ImageOptions:
        """What the main job makes of an image: its thumbnail, its compressed image, and these."""
        outputs = (*ImageOptions().outputs, *self.outputs)
        return ImageOptions(outputs=tuple((name, replace(options, preset=self.preset)) for name, options in outputs))


def _options(form: str, width: int) -> OutputOptions:
    return OutputOptions(fit=(width, _ANY_HEIGHT), format=form, quality=QUALITIES[form], optional=True)


def formats_in(text: str) -> tuple[str, ...]:
    """The formats in a list such as `webp,avif`, in the one order that counts as the same; ValueError says the cure."""
    names = {name.strip().upper() for name in text.split(",")}
    if not names <= QUALITIES.keys():
        known = ",".join(QUALITIES).lower()
        raise ValueError(f"{text!r} is no list of formats out of {known}; one looks like {known}")
    return tuple(form for form in QUALITIES if form in names)


def widths_in(text: str) -> tuple[int, ...]:
    """The widths in a list such as `320,640,1280`, narrowest first; ValueError says the cure."""
    parts = [part.strip() for part in text.split(",")]
    widths = sorted({int(part) for part in parts if part.isascii() and part.isdecimal()})
    if not all(part.isascii() and part.isdecimal() for part in parts) or not _usable(widths):
        bounds = f"{MOST_WIDTHS} widths from {SMALLEST_WIDTH} to {LARGEST_WIDTH} pixels"
        raise ValueError(f"{text!r} is no list of at most {bounds}; one looks like {listed(DEFAULT_WIDTHS)}")
    return tuple(widths)


def _usable(widths: list[int]) -> bool:
    return len(widths) <= MOST_WIDTHS and SMALLEST_WIDTH <= widths[0] and widths[-1] <= LARGEST_WIDTH


def listed(values: tuple[object, ...]) -> str:
    """`values` as `formats_in` and `widths_in` read them."""
    return ",".join(str(value).lower() for value in values)
