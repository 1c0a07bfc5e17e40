import re
from datetime import date

from cli import names


def test_unique_names_carry_the_date_and_eight_hex_digits_and_differ():
    first, second = (names.unique(names.IMAGES_BUCKET, date(2025, 10, 17)) for _ in range(2))

    assert re.fullmatch(r"image-uploads-bucket-20251017-[0-9a-f]{8}", first)
    assert first != second


def test_only_a_deployment_with_a_name_has_a_suffix():
    assert names.suffixed(names.TABLE, names.DEFAULT) == "ImageMetadata"
    assert names.suffixed(names.FUNCTION, "blue") == "ImageProcessingFunction-blue"


def test_the_longest_names_fit_into_what_aws_allows():
    longest = "x" * 20
    function = names.suffixed(names.FUNCTION, longest)
    queue = names.suffixed(names.unique(names.QUEUE, date.today()), longest) + names.DEAD_LETTERS

    assert len(function) <= 64
    assert len(names.role(function, "ap-southeast-99")) <= 64
    assert len(queue) <= 80
    assert len(names.unique(names.THUMBNAILS_BUCKET, date.today())) <= 63
