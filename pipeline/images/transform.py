"""The image core: bytes and options in, images and facts out. No I/O, no environment, safe in threads."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from PIL import Image

from pipeline.images import colour, geometry, optional
from pipeline.images.allowance import Allowance
from pipeline.images.decode import Source, examine, load, rejecting
from pipeline.images.encode import encode
from pipeline.images.formats import FORMATS
from pipeline.images.options import ImageOptions, Limits, OutputOptions
from pipeline.images.recompress import recompress, written_as
from pipeline.images.thumbhash import thumbhash
from pipeline.job import Facts, Output

_DEFAULTS = ImageOptions()
_PLACEHOLDER_BOX = (32, 32)


def _at_once(pixels: int) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True)
class Transformed:
    """What came of one image: its outputs in the order of the options, and what is known of the source.

    Optional outputs come last, the smallest first. `left_out` names those for which there was no time or memory.
    """

    outputs: tuple[Output, ...]
    facts: Facts
    left_out: tuple[str, ...] = ()


def transform(
    data: bytes,
    options: ImageOptions = _DEFAULTS,
    *,
    decoding: Callable[[int], AbstractContextManager[None]] = _at_once,
    allowance: Callable[[], Allowance] = Allowance,
) -> Transformed:
    """All outputs that `options` want of the image in `data`, from one decode.

    `decoding(pixels)` is entered for as long as the pixels are held: a caller with threads can make them wait there.
    `allowance` is begun then, and ends the making of optional outputs.

    Raises RejectError, and nothing else, for every input that is no image, damaged or beyond the limits.
    """
    with rejecting():
        source = examine(data, options.limits)
        with decoding(source.image.width * source.image.height):
            left = allowance()
            load(source)
            studio = _Studio(source, colour.resizable(source.image), options.limits)
            return studio.all_of(options, left)


@dataclass
class _Studio:
    """One decoded image and the pictures made of it."""

    source: Source
    image: Image.Image
    limits: Limits
    pictures: list[Image.Image] = field(default_factory=list)

    def all_of(self, options: ImageOptions, left: Allowance) -> Transformed:
        made = [self.output(name, wanted) for name, wanted in options.outputs if not wanted.optional]
        facts = _facts(self.source, self.placeholder())
        spare = [] if self.source.moves else [pair for pair in options.outputs if pair[1].optional]
        planned = optional.plan(spare, self.source.size, made)
        largest = max((one.size for one in planned if one.is_possible), default=self.source.size)
        more, left_out = optional.make(planned, lambda size: self.reduced(size, largest), left)
        return Transformed((*made, *more), facts, tuple(left_out))

    def output(self, name: str, wanted: OutputOptions) -> Output:
        source = self.source
        if wanted.fit is None and wanted.format in (None, source.format.name):
            size = source.size
            form, data = recompress(source, self.image, wanted, self.limits)
        else:
            form, picture = wanted.format or written_as(source, self.image), self.fitted(wanted)
            size, data = picture.size, encode(picture, form, wanted.quality, wanted.preset)
        row = FORMATS[form]
        return Output(name=name, data=data, content_type=row.mime, format=form, size=size)

    def fitted(self, wanted: OutputOptions) -> Image.Image:
        box = wanted.fit or self.source.size
        if wanted.cover:
            return geometry.cropped(self.picture(geometry.fit_over(self.source.size, box)), box)
        return self.picture(geometry.fit_within(self.source.size, box))

    def picture(self, size: geometry.Size) -> Image.Image:
        """The image at `size` as people see it: sRGB and upright."""
        orientation = self.source.metadata.orientation
        # Colours and orientation come after shrinking: by then there is little to convert and to turn.
        small = geometry.shrink(self.image, geometry.shown_size(size, orientation))
        shown = geometry.upright(colour.to_srgb(small, self.source.profile), orientation)
        self.pictures.append(shown)
        return shown

    def reduced(self, size: geometry.Size, largest: geometry.Size) -> Image.Image:
        """The picture at `size`, from one at least twice as large: the whole image is read for `largest` only.

        From one less than twice as large it would be smoothed twice, and that can be seen.
        """
        if all(shown.size != largest for shown in self.pictures):
            self.picture(largest)
        enough = [shown for shown in self.pictures if shown.size == size or shown.width >= 2 * size[0]]
        base = min(enough, key=lambda shown: shown.width, default=None)
        if base is None:
            return self.picture(size)
        if base.size == size:
            return base
        small = geometry.shrink(base, size)
        self.pictures.append(small)
        return small

    def placeholder(self) -> str:
        """The ThumbHash, from the smallest picture that is large enough: the whole image is read once less."""
        size = geometry.fit_within(self.source.size, _PLACEHOLDER_BOX)
        enough = [shown for shown in self.pictures if shown.width >= size[0] and shown.height >= size[1]]
        base = min(enough, key=lambda shown: shown.width, default=None) or self.picture(size)
        tiny = geometry.shrink(base, size).convert("RGBA")
        return base64.b64encode(thumbhash(*size, tiny.tobytes())).decode("ascii")


def _facts(source: Source, placeholder: str) -> Facts:
    return Facts(
        format=source.format.name,
        content_type=source.format.mime,
        mode=source.image.mode,
        size=source.size,
        frames=source.frames,
        bytes=len(source.data),
        sha256=hashlib.sha256(source.data).hexdigest(),
        taken_at=source.metadata.taken_at,
        camera_model=source.metadata.camera_model,
        placeholder=placeholder,
    )
