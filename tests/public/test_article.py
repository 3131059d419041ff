"""/boutique/<article>: all that is to be known before it is bought, and its photograph."""

from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from portal.catalogue import pictures
from portal.catalogue.models import Label, Supplier
from portal.profile.models import FarmProfile
from portal.web.assets import FOREVER
from tests.client import Browser
from tests.pages import text_of
from tests.public.shelves import SHOP, change, find, names
from tests.world import NOW

# One article


def test_an_article_tells_all_before_it_is_bought(client: Browser, stall: Session) -> None:
    change(
        stall, "Carottes", description="Semées en mai.", variety="Nantaise", ingredients="Carottes",
        allergens="céleri (traces)", perishable=True,
    )  # fmt: skip
    page = text_of(client.get(f"{SHOP}/carottes"))
    for words in (
        "Semées en mai.",
        "2,90 € TTC, le kilo",
        "Commandé par 250 g et pesé à la préparation",
        "Variété Nantaise",
        "Ingrédients Carottes",
        "Allergènes céleri (traces)",
        "Saison de juin à octobre",
        "dont TVA 5,5 %",
        "il ne peut être ni repris ni échangé",
        "Comment le garder Au frais, sans fanes.",
        "Du même rayon Radis",
    ):
        assert words in page, words
    assert "Vous avez quatorze jours" in text_of(client.get(f"{SHOP}/miel-de-châtaignier"))


def test_what_is_not_sold_any_more_has_its_page_but_no_place_on_the_shelves(
    client: Browser, stall: Session
) -> None:
    change(stall, "Radis", retired_at=NOW)
    assert "Radis" not in names(client)
    page = text_of(client.get(f"{SHOP}/radis"))
    assert "N'est plus vendu" in page
    assert "Ajouter : Radis" not in page


@pytest.mark.parametrize("slug", ["nulle-part", "1", "%27%20OR%201=1", "x" * 300])
def test_an_article_that_there_is_not_is_a_404(client: Browser, stall: Session, slug: str) -> None:
    assert client.get(f"{SHOP}/{slug}").status_code == 404


def test_without_a_price_it_is_not_there_yet(client: Browser, stall: Session) -> None:
    stall.delete(find(stall, "Radis").prices[0])
    stall.commit()
    assert client.get(f"{SHOP}/radis").status_code == 404


def certify(stall: Session) -> None:
    card = stall.get_one(FarmProfile, 1)
    card.certifier, card.certificate = "FR-BIO-01", "https://example.org/c"
    stall.commit()


SAYS_CERTIFIED = "Certifié FR-BIO-01 : voir le certificat"


@pytest.mark.parametrize("label", Label)
def test_what_the_farm_calls_organic_leads_to_its_certificate(
    client: Browser, stall: Session, label: Label
) -> None:
    change(stall, "Carottes", label=label)
    pages = (SHOP, f"{SHOP}/carottes")
    for page in pages:
        assert "Certifi" not in text_of(client.get(page)), "nobody certifies it yet"
        assert "l'agriculture biologique" in text_of(client.get(page))
    certify(stall)
    for page in pages:
        assert SAYS_CERTIFIED in text_of(client.get(page))
        assert '<a href="https://example.org/c">voir le certificat</a>' in client.get(page).text
    assert SAYS_CERTIFIED not in text_of(client.get(f"{SHOP}/miel-de-châtaignier")), "has no label"


def test_the_farms_certificate_says_nothing_of_its_neighbours(client: Browser, stall: Session) -> None:
    certify(stall)
    change(stall, "Radis", label=None)
    change(stall, "Carottes", supplier=Supplier(name="Les Aires"))
    for page in (SHOP, f"{SHOP}/carottes"):
        assert "Issu de l'agriculture biologique" in text_of(client.get(page))
        assert SAYS_CERTIFIED not in text_of(client.get(page))


def test_alcohol_is_sold_with_the_words_of_the_law(client: Browser, stall: Session) -> None:
    says = (
        "L'abus d'alcool est dangereux pour la santé, à consommer avec modération. "
        "Vente interdite aux mineurs."
    )
    pages = (SHOP, f"{SHOP}/radis")
    assert not any(says in text_of(client.get(page)) for page in pages)
    change(stall, "Radis", alcohol=True)
    assert [text_of(client.get(page)).count(says) for page in pages] == [1, 1]


# Photographs


@pytest.fixture
def photograph(stall: Session) -> str:
    """The digest of a photograph of carrots."""
    file = BytesIO()
    Image.new("RGB", (700, 500), "orange").save(file, "PNG")
    file.seek(0)
    encoded = pictures.read(file)
    assert isinstance(encoded, pictures.Encoded)
    made = pictures.store(stall, encoded)
    find(stall, "Carottes").picture_id = made.id
    stall.commit()
    return made.digest


def test_a_photograph_takes_the_drawings_place_in_the_width_that_fits(
    client: Browser, photograph: str
) -> None:
    page = client.get(SHOP).text
    assert f"/photos/{photograph}-160.webp 160w, /photos/{photograph}-320.webp 320w" in page
    assert 'width="700" height="500" alt="" loading="lazy"' in page
    assert 'loading="lazy"' not in client.get(f"{SHOP}/carottes").text.split("</article>")[0]


def test_a_photograph_is_kept_for_ever(client: Browser, photograph: str) -> None:
    answer = client.get(f"/photos/{photograph}-320.webp")
    assert (answer.status_code, answer.mimetype) == (200, "image/webp")
    assert answer.headers["Cache-Control"] == FOREVER
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers
    with Image.open(BytesIO(answer.data)) as shown:
        assert (shown.format, shown.size) == ("WEBP", (320, 229))
    again = client.get(f"/photos/{photograph}-320.webp", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_other_widths_and_pictures_are_not_there(client: Browser, photograph: str) -> None:
    for name in (
        f"{photograph}-321",
        f"{photograph}-0",
        f"{photograph}--160",
        f"{'0' * 32}-160",
        "x-160",
        "160",
    ):
        assert client.get(f"/photos/{name}.webp").status_code == 404, name
    assert client.get(f"/photos/{photograph}-320.png").status_code == 404
    assert client.get(f"/photos/../{photograph}-320.webp").status_code == 404
