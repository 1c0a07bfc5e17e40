"""Sizes and orientations. A size is (width, height) in pixels; orientations are EXIF's 1 to 8."""

from __future__ import annotations

from PIL import Image

Size = tuple[int, int]

#: What turns a stored picture upright, by orientation.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = frozenset({5, 6, 7, 8})


def shown_size(size: Size, orientation: int) -> Size:
    return (size[1], size[0]) if orientation in _ON_ITS_SIDE else size


def fit_within(size: Size, box: Size) -> Size:
    """The largest size with the proportions of `size` inside `box`: never larger than `size`, no side under 1."""
    scale = min(1.0, box[0] / size[0], box[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def fit_over(size: Size, box: Size) -> Size:
    """The smallest size with the proportions of `size` that covers `box`, but never larger than `size`."""
    scale = min(1.0, max(box[0] / size[0], box[1] / size[1]))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def cropped(image: Image.Image, box: Size) -> Image.Image:
    """The middle of `image`, no side longer than that of `box`."""
    width, height = min(image.width, box[0]), min(image.height, box[1])
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def upright(image: Image.Image, orientation: int) -> Image.Image:
    method = _UPRIGHT.get(orientation)
    return image if method is None else image.transpose(method)


def shrink(image: Image.Image, size: Size) -> Image.Image:
    """`image` at `size`. A box filter takes it to twice that first, which costs a third of LANCZOS from full size."""
    if image.size == size:
        return image
    # Pillow's box filter does not know 16 bits.
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=None if image.mode == "I;16" else 2.0)
