"""Draws what was measured: a panel for each kind, a line for each series, a stroke where the local cloud stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from tests.torture.soak.samples import Name, Series

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _GAP = 760, 150, 70, 230, 46
_COLOURS = ("#1b6ca8", "#c8553d", "#2a9d5c", "#8a5aa8", "#b8860b", "#444444")
_UNITS = {"memory": "MB", "open files": "", "connections": "", "temporary": "", "queues": "messages"}


def draw(samples: Mapping[Name, Series], stops: Sequence[float], title: str) -> str:
    """An SVG. `stops`: seconds at which the local cloud was stopped."""
    kinds = list(dict.fromkeys(kind for kind, _ in samples))
    end = max((series.points[-1][0] for series in samples.values() if series.points), default=1.0)
    panels = []
    for number, kind in enumerate(kinds):
        lines = {name: series.points for (its, name), series in samples.items() if its == kind}
        panels.append(_panel(kind, lines, stops, end, top=50 + number * (_HEIGHT + _GAP)))
    height = 50 + len(kinds) * (_HEIGHT + _GAP)
    width = _LEFT + _WIDTH + _RIGHT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12"><rect width="{width}" height="{height}" fill="white"/>'
        f'<text x="{_LEFT}" y="22" font-size="15">{escape(title)}</text>\n' + "\n".join(panels) + "\n</svg>\n"
    )


def _panel(
    kind: str, lines: Mapping[str, list[tuple[float, float]]], stops: Sequence[float], end: float, *, top: float
) -> str:
    scale = 1000 if kind == "memory" else 1
    most = max((value for points in lines.values() for _, value in points), default=1) or 1
    bottom = top + _HEIGHT

    def spot(point: tuple[float, float]) -> str:
        return f"{_LEFT + point[0] / end * _WIDTH:.1f},{bottom - point[1] / most * _HEIGHT:.1f}"

    parts = [_frame(kind, most / scale, end, top)]
    strokes = [f"M{_LEFT + at / end * _WIDTH:.1f} {top}v{_HEIGHT}" for at in stops if at <= end]
    parts.append(f'<path d="{"".join(strokes)}" stroke="#dddddd" fill="none"/>')
    for number, (name, points) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        joined = " ".join(map(spot, points))
        parts.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.3"/>')
        place = f'x="{_LEFT + _WIDTH + 12}" y="{top + 14 + 17 * number}"'
        parts.append(f'<text {place} fill="{colour}">{escape(name)}</text>')
    return "\n".join(parts)


def _frame(kind: str, most: float, end: float, top: float) -> str:
    bottom = top + _HEIGHT
    label = f"{kind}, {_UNITS[kind]}" if _UNITS[kind] else kind
    return (
        f'<text x="{_LEFT}" y="{top - 6}">{label}</text>'
        f'<rect x="{_LEFT}" y="{top}" width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#999999"/>'
        f'<text x="{_LEFT - 8}" y="{top + 10}" text-anchor="end">{most:.0f}</text>'
        f'<text x="{_LEFT - 8}" y="{bottom}" text-anchor="end">0</text>'
        f'<text x="{_LEFT + _WIDTH}" y="{bottom + 14}" text-anchor="end">{end / 60:.1f} min</text>'
    )
