"""The map's script: the same for the same places, and nothing in it that somebody typed."""

import subprocess
import sys
from dataclasses import replace

import pytest

from portal.pickup.map import Chart, draw
from portal.rules.distances import Position
from portal.settings import ATTRIBUTION, ROOT, TILES

PLACES = {"halle": Position(44.4, 5.7), "gare": Position(44.5, 5.8)}


CHART = Chart(tuple(PLACES.items()), TILES, ATTRIBUTION)


@pytest.fixture(scope="module")
def script() -> str:
    return draw(CHART)


def test_the_same_chart_makes_the_same_script_and_another_another(script: str) -> None:
    assert draw(replace(CHART)) == script
    assert replace(CHART).digest == CHART.digest
    for other in (
        replace(CHART, places=CHART.places[::-1]),
        replace(CHART, places=(*CHART.places, ("cafe", Position(44.5, 5.9)))),
        replace(CHART, tiles=""),
        replace(CHART, attribution="©"),
    ):
        assert draw(other) != script
        assert other.digest != CHART.digest


def test_every_place_has_its_marker(script: str) -> None:
    assert script.count("L.marker(") == len(PLACES)
    for slug, place in PLACES.items():
        assert f'"slug": "{slug}"' in script
        assert f"[{place.latitude}, {place.longitude}]" in script


def test_the_page_is_handed_the_parts_under_names_that_do_not_change(script: str) -> None:
    assert script.startswith("function drawMap() {")
    assert 'L.map(\n                "map_1"' in script, "the page's element"
    assert "return {map: map_1, tiles: tile_layer_2, markers: marker_cluster_3};" in script


def test_nothing_is_shown_before_the_page_has_chosen_its_view(script: str) -> None:
    assert ".addTo(map_1)" not in script


def test_the_tiles_are_asked_for_with_the_site_and_without_the_page(script: str) -> None:
    assert TILES in script
    assert '"referrerPolicy": "strict-origin"' in script
    assert "\\u003ca href=" in script, "the provider's words, in no way an end of the script"


def test_without_tiles_there_are_markers() -> None:
    script = draw(replace(CHART, tiles=""))
    assert "tileLayer" not in script
    assert "tiles: null" in script
    assert script.count("L.marker(") == len(PLACES)


def test_nothing_of_the_script_comes_from_elsewhere_but_the_tiles(script: str) -> None:
    assert script.replace(TILES, "").replace("https://www.openstreetmap.org/copyright", "").count("://") == 0


def test_whoever_starts_the_portal_does_not_wait_for_folium() -> None:
    words = "import sys, portal; sys.exit(bool({'folium', 'numpy'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", words], cwd=ROOT).returncode == 0
