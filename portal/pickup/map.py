"""The map's drawing: folium writes the script, the page holds every word."""

import re
from collections import defaultdict
from itertools import count

from portal.rules.distances import Position, middle

_ID = re.compile(r"_[0-9a-f]{32}\b")


def draw(places: dict[str, Position], *, tiles: str, attribution: str) -> str:
    """A script with the function `drawMap`: it fills `#map_1` and returns the map, its tiles and its markers.

    `places` are positions by slug. A marker carries its slug and nothing that somebody typed: folium writes
    some texts so that they run. Tiles and markers wait until the page has dressed them and chosen its view.
    The same places always make the same script.
    """
    import folium  # noqa: PLC0415  half a second and 50 MB, for the one page that needs it
    from folium.plugins import MarkerCluster  # noqa: PLC0415

    figure = folium.Figure()
    chart = folium.Map(
        middle(places.values()), tiles=None, zoom_control=False, scroll_wheel_zoom=False
    ).add_to(figure)
    layer = "null"
    if tiles:
        # the provider wants to know which site asks, not which page
        drawn = folium.TileLayer(
            tiles, attr=attribution, max_zoom=19, show=False, referrer_policy="strict-origin"
        )
        layer = drawn.add_to(chart).get_name()
    markers = MarkerCluster(
        show=False, animate=False, show_coverage_on_hover=False, max_cluster_radius=44
    ).add_to(chart)
    for slug, place in places.items():
        folium.Marker(place, slug=slug).add_to(markers)
    figure.render()
    parts = f"{{map: {chart.get_name()}, tiles: {layer}, markers: {markers.get_name()}}}"
    return _numbered(f"function drawMap() {{\n{figure.script.render()}\nreturn {parts};\n}}\n")


def _numbered(script: str) -> str:
    """The script with folium's random names numbered in their order."""
    numbers: defaultdict[str, int] = defaultdict(count(1).__next__)
    return _ID.sub(lambda name: f"_{numbers[name[0]]}", script)
