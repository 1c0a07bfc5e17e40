"""`setup.py --variant-formats … --preset …`: remembered like a switch, until said again or `--no-variants` is."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, MutableMapping

from cli.exits import CommandError, Exit
from cli.variants import FORMATS, PRESET, WIDTHS, add_variant_options
from pipeline.images.options import Preset
from pipeline.images.variants import listed


def add_variant_choice(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("variants for <picture> and srcset, remembered until they are said again")
    add_variant_options(group, "make each image in other formats as well:")
    group.add_argument("--no-variants", action="store_true", help="make none any more")
    group.add_argument(
        f"--{PRESET}",
        choices=[str(preset) for preset in Preset],
        help="how much CPU may go into fewer bytes, of everything that is made (default: balanced)",
    )


def remember_variants(arguments: argparse.Namespace, resources: MutableMapping[str, str]) -> None:
    """Keep what was said; CommandError where it contradicts itself."""
    formats, widths = arguments.variant_formats, arguments.variant_widths
    if arguments.no_variants:
        if formats or widths:
            raise CommandError("--no-variants goes with no other option for variants", Exit.WRONG_USE)
        for key in (FORMATS, WIDTHS):
            resources.pop(key, None)
    if arguments.preset:
        resources[PRESET] = arguments.preset
    if formats:
        resources[FORMATS] = listed(formats)
    if widths:
        if FORMATS not in resources:
            raise CommandError("--variant-widths needs --variant-formats, for example webp,avif", Exit.WRONG_USE)
        resources[WIDTHS] = listed(widths)


def recovered_variants(variables: Mapping[str, str]) -> dict[str, str]:
    """What the environment of a function says that was chosen."""
    names = {FORMATS: "VARIANT_FORMATS", WIDTHS: "VARIANT_WIDTHS", PRESET: "IMAGE_PRESET"}
    return {key: variables[name] for key, name in names.items() if variables.get(name)}
