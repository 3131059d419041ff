"""The map of pickup points, and the list that says the same where there is no map."""

import re
import struct
import zlib
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from sqlalchemy import select

from portal.infra.orm import own_transaction
from portal.pickup.models import PickupPoint
from tests.browser.helpers import DESK, PHONE
from tests.world import CAMILLE, YACINE

PATH = "/points-de-retrait"
TILES = "https://tile.openstreetmap.org/**"
NO_BACKGROUND = "Le fond de carte ne s'affiche pas."


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PIXEL = b"\x89PNG\r\n\x1a\n" + b"".join(
    (
        chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        chunk(b"IDAT", zlib.compress(b"\0\xe2\xeb\xcf")),
        chunk(b"IEND", b""),
    )
)


@pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
def screen(request: pytest.FixtureRequest) -> dict[str, int]:
    return dict(request.param)


@pytest.fixture
def asked() -> list[tuple[str, str | None]]:
    """The tiles that were asked for, and the page that each request names as its own."""
    return []


@pytest.fixture
def shown(browse: Callable[..., Page], asked: list[tuple[str, str | None]]) -> Callable[..., Page]:
    """`shown(CAMILLE, viewport=PHONE)`: the page with its map open and its tiles there."""

    def tile(route: Route) -> None:
        asked.append((route.request.url, route.request.all_headers().get("referer")))
        route.fulfill(body=PIXEL, content_type="image/png")

    def show(who: str | None = None, path: str = PATH, **options: object) -> Page:
        page = browse(who, **options)
        page.route(TILES, tile)
        page.goto(path)
        summary = page.get_by_text("Voir la carte", exact=True)
        if summary.is_visible():
            summary.click()
        expect(markers(page).first).to_be_visible()
        return page

    return show


def markers(page: Page) -> Locator:
    return page.get_by_role("region", name="Carte des points de retrait").locator(".leaflet-marker-icon")


def marker(page: Page, name: str) -> Locator:
    return markers(page).and_(page.get_by_role("button", name=re.compile(name)))


def bubble(page: Page) -> Locator:
    """Once the map has moved it into sight: a press on what still moves is none."""
    expect(page.locator(".leaflet-pan-anim")).to_have_count(0)
    return page.locator(".leaflet-popup .bubble")


def rename(slug: str, **values: object) -> None:
    with own_transaction() as session:
        point = session.scalars(select(PickupPoint).where(PickupPoint.slug == slug)).one()
        for name, value in values.items():
            setattr(point, name, value)


def test_every_point_is_on_the_map_with_its_name(shown: Callable[..., Page], screen: dict[str, int]) -> None:
    page = shown(viewport=screen)
    expect(markers(page)).to_have_count(4)
    page.locator(".map-frame").scroll_into_view_if_needed()
    for name in ("Halle de Serres, mardi", "Gare de Veynes, mardi", "Mairie de Laragne, jeudi", "Café"):
        expect(marker(page, name)).to_be_in_viewport()


def test_on_a_phone_the_map_and_its_tiles_wait_until_they_are_wanted(
    browse: Callable[..., Page], asked: list[tuple[str, str | None]]
) -> None:
    page = browse()
    page.route(TILES, lambda route: route.abort())
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.goto(PATH, wait_until="networkidle")
    expect(page.get_by_role("heading", name="Halle de Serres")).to_be_visible()
    expect(markers(page)).to_have_count(0)
    assert not [url for url in seen if "openstreetmap" in url]


def test_tiles_are_asked_for_as_their_provider_wants(
    shown: Callable[..., Page], asked: list[tuple[str, str | None]]
) -> None:
    page = shown(viewport=DESK)
    expect(page.locator(".leaflet-tile-loaded").first).to_be_visible()
    site = page.evaluate("location.origin")
    assert asked
    for url, referer in asked:
        assert re.fullmatch(r"https://tile\.openstreetmap\.org/\d+/\d+/\d+\.png", url)
        assert referer == f"{site}/", "the site, not the page"
    expect(page.get_by_text(NO_BACKGROUND)).to_be_hidden()
    expect(page.get_by_role("link", name="OpenStreetMap")).to_have_attribute(
        "href", "https://www.openstreetmap.org/copyright"
    )


def test_when_tiles_fail_the_points_stay_and_a_sentence_says_so(
    browse: Callable[..., Page], screen: dict[str, int]
) -> None:
    page = browse(viewport=screen)
    page.goto(f"{PATH}?ville=Serres")
    page.get_by_role("button", name="Sur la carte : Gare de Veynes").click()
    expect(page.get_by_text(NO_BACKGROUND)).to_be_visible()
    expect(markers(page)).to_have_count(4)
    expect(bubble(page)).to_contain_text("Gare de Veynes")


def test_a_bubble_says_what_there_is_and_leads_on(shown: Callable[..., Page], screen: dict[str, int]) -> None:
    rename("gare", free_places=0)
    page = shown(viewport=screen)
    marker(page, "Gare de Veynes, mardi, complet").click()
    expect(bubble(page)).to_contain_text("Complet")
    expect(bubble(page)).to_contain_text("Le mardi, de 16 h 30 à 19 h")
    expect(bubble(page)).to_contain_text("Modifiable jusqu'au dimanche, 23 h 59")
    bubble(page).get_by_role("link", name="Tout savoir : Gare de Veynes").click()
    expect(page.get_by_role("heading", name="Gare de Veynes")).to_be_in_viewport()


def test_subscribers_keep_the_bar_of_their_own_pages(browse: Callable[..., Page]) -> None:
    page = browse(CAMILLE)
    page.goto(PATH)
    page.get_by_role("navigation", name="Mon espace").get_by_role("link", name="Accueil").click()
    expect(page).to_have_url(re.compile("/espace$"))


def test_subscribers_find_their_point_and_choose_another_from_the_map(shown: Callable[..., Page]) -> None:
    page = shown(CAMILLE)
    expect(marker(page, "Halle de Serres, mardi, votre point de retrait")).to_be_visible()
    marker(page, "Café de Sisteron").click()
    bubble(page).get_by_role("link", name="Choisir ce point : Café de Sisteron").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Choisir ce point de retrait")
    expect(page.get_by_text("Café de Sisteron").first).to_be_visible()


def test_they_choose_another_from_the_list_without_javascript_too(
    browse: Callable[..., Page], javascript: bool
) -> None:
    page = browse(YACINE, java_script_enabled=javascript)
    page.goto(PATH)
    page.get_by_label("Jour de retrait").select_option("vendredi")
    page.get_by_role("button", name="Afficher").click()
    expect(page.get_by_role("heading", level=3)).to_have_count(1)
    page.locator("#cafe").get_by_role("link", name="Choisir ce point").click()
    expect(page).to_have_url(re.compile("/points-de-retrait/cafe/choisir$"))


def test_without_javascript_the_list_says_it_all(browse: Callable[..., Page], screen: dict[str, int]) -> None:
    page = browse(java_script_enabled=False, viewport=screen)
    page.goto(PATH)
    expect(page.get_by_role("heading", level=3)).to_have_count(4)
    expect(page.get_by_role("button", name="Sur la carte")).to_have_count(0)
    expect(page.get_by_text("Voir la carte", exact=True)).to_be_hidden()
    expect(page.locator(".map-frame")).to_be_hidden()
    page.get_by_label("Je pars de").select_option("Serres")
    page.get_by_role("button", name="Afficher").click()
    expect(page.locator("#gare")).to_contain_text("à 6 km")


def test_the_map_shows_what_the_list_shows(shown: Callable[..., Page]) -> None:
    page = shown(path=f"{PATH}?jour=mardi")
    expect(markers(page)).to_have_count(2)


def test_it_all_works_from_the_keyboard(shown: Callable[..., Page]) -> None:
    page = shown(viewport=DESK)
    halle = marker(page, "Halle de Serres")
    for _ in range(40):
        page.keyboard.press("Tab")
        if halle.evaluate("marker => marker === document.activeElement"):
            break
    for key in ("Enter", "Space"):
        expect(halle).to_be_focused()
        page.keyboard.press(key)
        expect(bubble(page)).to_be_focused()
        page.keyboard.press("Tab")
        expect(bubble(page).get_by_role("link", name="M'abonner ici")).to_be_focused()
        page.keyboard.press("Escape")
        expect(bubble(page)).to_have_count(0)
    expect(halle).to_be_focused()
    for name in ("Zoomer", "Dézoomer"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_points_too_close_together_make_a_group_that_opens(
    shown: Callable[..., Page], motion: str, key: str
) -> None:
    rename("gare", latitude=44.405, longitude=5.704)
    page = shown(CAMILLE, viewport=DESK, reduced_motion=motion)
    group = marker(page, "2 points de retrait : zoomer")
    expect(markers(page)).to_have_count(3)
    group.focus()
    page.keyboard.press(key)
    expect(marker(page, "Halle de Serres")).to_be_in_viewport()
    expect(marker(page, "Gare de Veynes")).to_be_in_viewport()
    expect(page.get_by_role("region", name="Carte des points de retrait")).to_be_focused()


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_the_list_leads_to_a_point_within_a_group(shown: Callable[..., Page], motion: str) -> None:
    rename("gare", latitude=44.405, longitude=5.704)
    page = shown(viewport=DESK, reduced_motion=motion)
    page.get_by_role("button", name="Sur la carte : Gare de Veynes").click()
    expect(bubble(page)).to_contain_text("Gare de Veynes")
    expect(bubble(page)).to_be_focused()
    expect(bubble(page)).to_be_in_viewport()


HOSTILE = (
    "<img src=x onerror=\"document.title='mine'\">",
    "${document.title='mine'}",
    "`;document.title='mine';//",
    "</script><script>document.title='mine'</script>",
    "{{7*7}}<template></template>",
    "'\"><svg onload=document.title='mine'>",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_point_is_called_is_text(shown: Callable[..., Page], name: str) -> None:
    rename("gare", name=name, town=name[:80], address=name, access=name)
    page = shown(CAMILLE, viewport=DESK)
    page.locator("#gare").get_by_role("button", name="Sur la carte").click()
    expect(bubble(page).locator(".place-name")).to_have_text(name)
    expect(markers(page).get_by_text(f"{name}, mardi", exact=True)).to_have_count(1)
    expect(page.locator("#gare h3")).to_have_text(name)
    assert "mine" not in page.title()


def test_a_visit_leaves_nothing_behind(shown: Callable[..., Page]) -> None:
    page = shown(viewport=DESK)
    assert page.context.cookies() == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0
