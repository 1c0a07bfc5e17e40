"""Which module may import which: the drawing in docs/architecture.md as a function."""

from __future__ import annotations

#: Programs that a person, Lambda or a scheduler starts. They never import each other; what two of them need lies lower.
ENTRY_POINTS = ("lambda_function", "setup_scripts", "imageservice", "bulk", "scripts", "img")

#: What root commands and scripts share with other entry points: the only ways across.
WAYS_ACROSS = {("root", "setup_scripts"), ("root", "local_cloud"), ("scripts", "imageservice")}

#: Which of our packages each package may use besides itself and what WAYS_ACROSS gives it.
USES = {
    "root": {"cli", "pipeline"},
    "setup_scripts": {"cli", "pipeline"},
    "bulk": {"cli", "pipeline"},
    "imageservice": {"cli", "pipeline"},
    "scripts": set[str](),
    "img": set[str](),
    "lambda_function": {"pipeline"},
    "local_cloud": {"cli", "pipeline"},
    "cli": {"pipeline"},
    "pipeline": set[str](),
}

#: Bytes in, values out: usable from everywhere, so they themselves use only each other.
PURE = (
    "images",
    "job",
    "messages",
    "image_service.job",
    "image_service.messages",
    "keys",
    "batch.file_list",
    "batch.json_tokens",
    "gallery.pages",
    "gallery.wanted",
    "table.items",
    "table.typed_values",
    "table.counting",
    "errors",
    "web.addresses",
    "web.signing",
    "version",
)
EDGES = (
    "web.sources",
    "web.notifications",
    "storage",
    "queues",
    "table.records",
    "parameters",
    "image_service.redirects",
    "image_service.deliveries",
    "batch.jobs",
    "batch.following",
    "batch.stored_lists",
)
TOOLS = ("clients", "settings", "watch", "budget", "freed_memory", "web.guard", "images.nursery", "images.nursing")

#: Within `pipeline`, from the top down: a module imports only what stands lower than itself. A package stands for those
#: of its modules that are not named.
LEVELS = (
    ("consume",),
    ("process",),
    ("steps",),
    ("describing", "leftovers", "writing", "image_service.answering"),
    ("services", "image_service.services"),
    ("gallery.listing", "table.stats", "table.failures", "inventory"),
    EDGES,
    ("replacing", "verifying", "batch.claims"),
    ("objects",),
    ("web.settings",),
    ("aws_errors", "web.outbound", "image_service.settings", "batch.settings"),
    ("web.connections",),
    TOOLS,
    PURE,
)


def refusal(importer: str, imported: str) -> str | None:
    """Why the module `importer` must not import `imported`, both of ours by their full names; None where it may."""
    above, below = importer.split(".")[0], imported.split(".")[0]
    if above == below == "pipeline":
        return _refusal_inside_the_core(importer, imported)
    if above == below != "root" or (above, below) in WAYS_ACROSS or below in USES[above]:
        return None
    return f"{importer} imports {imported}: {above} may use {', '.join(sorted(USES[above])) or 'none of our packages'}"


def _refusal_inside_the_core(importer: str, imported: str) -> str | None:
    above, below = level(importer), level(imported)
    if above is None or below is None:
        return f"{importer} imports {imported}: one of them stands on no level yet; give it one in {__name__}"
    if above < below or above == below == len(LEVELS) - 1:
        return None
    return f"{importer} imports {imported}: imports go down only, and that is no lower"


def level(module: str) -> int | None:
    """Where a module of the core stands, 0 at the top; None if LEVELS does not name it."""
    part = _within_the_core(module)
    return next((number for number, parts in enumerate(LEVELS) if part in parts), None)


def is_pure(module: str) -> bool:
    return module.startswith("pipeline.") and _within_the_core(module) in PURE


def _within_the_core(name: str) -> str:
    """The name in LEVELS for a module, or for what is imported from one; its longest part that stands there."""
    parts = name.split(".")[1:]
    longer_first = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return next((part for part in longer_first if any(part in names for names in LEVELS)), "")
