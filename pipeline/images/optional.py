"""Optional outputs: made after all others, the smallest first, as long as there is time; never a reason to fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from PIL import Image

from pipeline.images.allowance import Allowance
from pipeline.images.encode import encode
from pipeline.images.encoders import encoders
from pipeline.images.formats import FORMATS
from pipeline.images.geometry import Size, fit_within
from pipeline.images.options import OutputOptions, Preset
from pipeline.job import Output


@dataclass(frozen=True)
class Planned:
    """One output that is no copy of another, and the size that it will have."""

    name: str
    format: str
    size: Size
    quality: int
    preset: Preset

    @property
    def pixels(self) -> int:
        return self.size[0] * self.size[1]

    @property
    def is_possible(self) -> bool:
        """Whether any way of writing the format takes so many pixels."""
        return any(encoder.fits(self.size) for encoder in encoders(self.format, self.preset))


def plan(wanted: Iterable[tuple[str, OutputOptions]], source: Size, made: Sequence[Output]) -> list[Planned]:
    """What is to be made of a picture of the size `source`, the smallest first; copies of what is `made` are not."""
    seen = {(output.format, output.size) for output in made}
    planned = []
    for name, options in wanted:
        if options.format is None:
            raise ValueError(f"the optional output {name} names no format")
        size = fit_within(source, options.fit or source)
        if (options.format, size) not in seen:
            seen.add((options.format, size))
            planned.append(Planned(name, options.format, size, options.quality, options.preset))
    return sorted(planned, key=lambda one: one.pixels)


def make(
    planned: Iterable[Planned], picture: Callable[[Size], Image.Image], allowance: Allowance
) -> tuple[list[Output], list[str]]:
    """The outputs, and the names of those that were left out: too large for their format, or no time or memory left."""
    made, left_out = [], []
    for one in planned:
        output = _made(one, picture, allowance)
        if output:
            made.append(output)
        else:
            left_out.append(one.name)
    return made, left_out


def _made(one: Planned, picture: Callable[[Size], Image.Image], allowance: Allowance) -> Output | None:
    if not one.is_possible or not allowance.covers(one.format, one.pixels):
        return None
    try:
        shown = picture(one.size)
        with allowance.learning(one.format, one.pixels):
            data = encode(shown, one.format, one.quality, one.preset)
    except Exception:
        # Encoders say in many ways that they have no memory or cannot write a picture. All that is needed is made.
        return None
    return Output(one.name, data, FORMATS[one.format].mime, one.format, one.size)
