"""Papers say what they were given and nothing else; whoever makes them at once gets the same."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

from portal.infra import pdf

FARM = {
    "name": "Les Jardins du Test",
    "tagline": "Des légumes",
    "address": "12 chemin des Canaux",
    "postcode": "05700",
    "town": "Serres",
    "phone": "04 65 71 00 01",
    "email": "ferme@example.org",
}
SOURCE = (
    '#panic("!") #import "x.typ" *gras* $x^2$ <label> @ref \\ // [] {} " ~ --- `raw` https://example.org/a'
)


def conditions(text: str, **changes: object) -> bytes:
    data = {
        "language": "fr",
        "farm": FARM,
        "title": "Conditions",
        "in_force": "Depuis hier",
        "sections": [{"heading": "Objet", "text": text}],
    }
    return pdf.render("conditions", **(data | changes))


def words(paper: bytes) -> str:
    read = subprocess.run(["pdftotext", "-", "-"], input=paper, capture_output=True, check=True)
    return " ".join(read.stdout.decode().split())


def test_a_paper_bears_the_farms_letterhead_its_title_and_the_number_of_its_pages() -> None:
    read = words(conditions("Une ligne.\n\n" * 100))
    for expected in (
        "Les Jardins du Test",
        "12 chemin des Canaux 05700 Serres",
        "Conditions",
        "1 / 3",
        "3 / 3",
    ):
        assert expected in read


def test_words_of_people_are_never_source() -> None:
    assert SOURCE in words(conditions(SOURCE))
    named = conditions("…", title=SOURCE, farm=FARM | {"name": SOURCE})
    assert words(named).count(SOURCE) >= 3


def test_what_no_font_can_draw_is_no_fault() -> None:
    assert "Objet" in words(conditions("Emma 🥕 \x00 \u202e قطف \ud800".encode("utf-8", "replace").decode()))


def test_the_same_data_make_the_same_bytes_in_every_thread() -> None:
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda number: conditions(f"Ligne {number % 2}"), range(20)))
    assert len(set(made)) == 2
