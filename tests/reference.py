"""What an image should look like, made the plain and slow way with Pillow; and how far two pictures are apart."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageChops, ImageCms, ImageOps, ImageStat


def shown(data: bytes) -> Image.Image:
    """The picture in `data` as people see it: upright, sRGB, "RGBA", full size."""
    with Image.open(BytesIO(data)) as image:
        upright = ImageOps.exif_transpose(image)
        profile = image.info.get("icc_profile")
    if upright.mode == "I;16":
        upright = upright.point(lambda value: value * (1 / 256)).convert("L")
    if profile and upright.mode in ("L", "RGB", "CMYK"):
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        upright = (
            ImageCms.profileToProfile(upright, source, ImageCms.createProfile("sRGB"), outputMode="RGB") or upright
        )
    return upright.convert("RGBA")


def scaled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize(size, Image.Resampling.LANCZOS)


def distance(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of 0–255 over colours, as they come out on gray, and opacity."""
    assert one.size == other.size
    return max(_mean(_on_gray(one), _on_gray(other)), _mean(_alpha(one), _alpha(other)))


def _mean(one: Image.Image, other: Image.Image) -> float:
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean)


def _on_gray(image: Image.Image) -> Image.Image:
    page = Image.new("RGBA", image.size, (128, 128, 128, 255))
    return Image.alpha_composite(page, image.convert("RGBA")).convert("RGB")


def _alpha(image: Image.Image) -> Image.Image:
    return image.convert("RGBA").getchannel("A")
