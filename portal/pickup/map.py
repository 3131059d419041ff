"""The map's drawing: folium writes the script, the page holds every word."""

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import version
from itertools import count
from pathlib import Path

from portal.rules.distances import Position, middle

_DRAWN_BY = Path(__file__).read_text(encoding="utf-8") + version("folium")
_ID = re.compile(r"_[0-9a-f]{32}\b")


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn: places by their slug, and the tiles beneath them, if any, with the words that they ask for."""

    places: tuple[tuple[str, Position], ...]
    tiles: str
    attribution: str

    @property
    def digest(self) -> str:
        """Names the drawing without making it: what goes into it, and what draws it."""
        return hashlib.sha256(f"{self!r} {_DRAWN_BY}".encode()).hexdigest()[:16]


def draw(chart: Chart) -> str:
    """A script with the function `drawMap`: it fills `#map_1` and returns the map, its tiles and its markers.

    A marker carries its slug and nothing that somebody typed: folium writes some texts so that they run. Tiles
    and markers wait until the page has dressed them and chosen its view. The same chart always makes the same
    script.
    """
    import folium  # noqa: PLC0415  half a second and 50 MB, for the one page that needs it
    from folium.plugins import MarkerCluster  # noqa: PLC0415

    figure = folium.Figure()
    drawn = folium.Map(
        middle([place for _, place in chart.places]), tiles=None, zoom_control=False, scroll_wheel_zoom=False
    ).add_to(figure)
    tiles = "null"
    if chart.tiles:
        # the provider wants to know which site asks, not which page
        layer = folium.TileLayer(
            chart.tiles, attr=chart.attribution, max_zoom=19, show=False, referrer_policy="strict-origin"
        )
        tiles = layer.add_to(drawn).get_name()
    markers = MarkerCluster(
        show=False, animate=False, show_coverage_on_hover=False, max_cluster_radius=44
    ).add_to(drawn)
    for slug, place in chart.places:
        folium.Marker(place, slug=slug).add_to(markers)
    figure.render()
    parts = f"{{map: {drawn.get_name()}, tiles: {tiles}, markers: {markers.get_name()}}}"
    return _numbered(f"function drawMap() {{\n{figure.script.render()}\nreturn {parts};\n}}\n")


def _numbered(script: str) -> str:
    """The script with folium's random names numbered in their order."""
    numbers: defaultdict[str, int] = defaultdict(count(1).__next__)
    return _ID.sub(lambda name: f"_{numbers[name[0]]}", script)
