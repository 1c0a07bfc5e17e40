"""Lost state: what a person chose at setup leaves no tag, but shows in how the gallery's function is configured."""

from __future__ import annotations

from urllib.parse import urlsplit

from cli import names
from cli.aws import Aws
from setup_scripts.create_cloudfront import WANTED as PRIVATE_BUCKET
from setup_scripts.functions import GALLERY
from setup_scripts.lookup import look
from setup_scripts.switches import CAPTURE_FACTS, SNAPSTART
from setup_scripts.variant_choice import recovered_variants


def choices(aws: Aws) -> dict[str, str]:
    """Key → value, as the state keeps them, of what is not as by default. Alarms are: they are made again."""
    name = names.suffixed(GALLERY.base_name, aws.target.name)
    present = look(lambda: aws.functions.get_function_configuration(FunctionName=name), "ResourceNotFoundException")
    if present is None:
        return {}
    variables = present.get("Environment", {}).get("Variables", {})
    found = recovered_variants(variables)
    if variables.get("PUBLIC_CAPTURE_FACTS") == "true":
        found[CAPTURE_FACTS.key] = "on"
    if present.get("SnapStart", {}).get("ApplyOn") == "PublishedVersions":
        found[SNAPSTART.key] = "on"
    outputs_url = variables.get("OUTPUTS_URL", "")
    # Without this the bucket would be opened to everybody again.
    if (urlsplit(outputs_url).hostname or "").endswith(".cloudfront.net"):
        found |= {PRIVATE_BUCKET: "cloudfront", "cloudfront-url": outputs_url}
    return found
