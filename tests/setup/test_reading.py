"""A file that is not understood is refused in one French sentence that says where."""

import re
from pathlib import Path

import pytest

from portal.rules.money import Money
from portal.setup.reading import FORMULAS, POINTS, PRODUCTS, read
from portal.setup.values import BadFarm
from tests.setup.conftest import EXAMPLE, Write

SECOND_PRICE = '{ since = 2026-01-01, price = "11,50 €", vat = "5,5 %" },'


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        # keys and slugs
        ("[farm]", "[ferme]", "farm.toml › ferme : cette clé n'existe pas"),
        ("phone =", "fax =", "farm › fax : cette clé n'existe pas"),
        ('phone = "04 65 71 00 12"', "", "farm › phone : cette clé manque"),
        ("lead_days = 2 ", "lead_day = 2 ", "tours › mardi › lead_day : cette clé n'existe pas"),
        ("lead_days = 2 ", "", "tours › mardi › lead_days : cette clé manque"),
        ('slug = "mardi"', "", "tours › n° 1 › slug : cette clé manque"),
        ('slug = "jeudi"', 'slug = "mardi"', "tours › mardi › slug : il y est 2 fois"),
        ('slug = "radis"', 'slug = "salade"', "products › salade › slug : il y est 2 fois"),
        ('slug = "radis"', 'slug = "Radis"', "products › Radis › slug : « Radis » n'est pas un nom court"),
        ('slug = "oeufs-par-6"', 'slug = "œufs"', "formulas › œufs › slug : « œufs » n'est pas"),
        ('slug = "radis"', "slug = 12", "products › n° 5 › slug : « 12 » n'est pas un nom court"),
        ("[[tours]]", "[tours]", "farm.toml : ce n'est pas du TOML"),
        # text
        ('name = "Halle de Serres"', "name = 12", "points › halle-de-serres › name : il faut un texte"),
        ('name = "Halle de Serres"', 'name = "  "', "points › halle-de-serres › name : il n'y a rien"),
        ('name = "Halle de Serres"', r'name = "Hal\u0000le"', "points › halle-de-serres › name : il y a un"),
        (
            'postcode = "05300"',
            'postcode = "05300 05400"',
            "points › mairie-de-laragne › postcode : 11 caractères, c'est trop : 10 au plus",
        ),
        ('"bonjour@example.org"', '"bonjour"', "farm › email : « bonjour » n'est pas une adresse mail"),
        ('"bonjour@example.org"', '"a@b.fr, c@d.fr"', "farm › email : « a@b.fr, c@d.fr » n'est pas"),
        # days, hours, numbers
        ('weekday = "mardi"', 'weekday = "Tuesday"', "tours › mardi › weekday : « Tuesday » n'est pas prévu"),
        (
            "lead_days = 2 ",
            "lead_days = 7 ",
            "tours › mardi › lead_days : il faut un nombre entier, de 0 à 6",
        ),
        ("lead_days = 2 ", "lead_days = -1 ", "tours › mardi › lead_days : il faut un nombre entier"),
        ("lead_days = 2 ", "lead_days = true ", "tours › mardi › lead_days : il faut un nombre entier"),
        ("lead_days = 2 ", 'lead_days = "2" ', "tours › mardi › lead_days : il faut un nombre entier"),
        ('lead_time = "23:59"', 'lead_time = "24:00"', "tours › mardi › lead_time : « 24:00 » n'est pas une"),
        ('lead_time = "23:59"', 'lead_time = "9:30"', "tours › mardi › lead_time : « 9:30 » n'est pas une"),
        ('lead_time = "23:59"', "lead_time = 23:59:00", "tours › mardi › lead_time : « 23:59:00 » n'est pas"),
        ('opens = "16:30"', 'opens = "19:00"', "points › halle-de-serres › closes : le point ferme avant"),
        (
            "latitude = 44.4287",
            "latitude = 444287",
            "points › halle-de-serres › latitude : il faut un nombre",
        ),
        ("latitude = 44.4287", "latitude = nan", "points › halle-de-serres › latitude : il faut un nombre"),
        ("capacity = 40 ", "capacity = -1 ", "points › halle-de-serres › capacity : il faut un nombre"),
        ("capacity = 40 ", "capacity = 40.5 ", "points › halle-de-serres › capacity : il faut un nombre"),
        # choices
        (
            'kind = "légumes"',
            'kind = "viande"',
            "formulas › petit-panier › kind : « viande » n'est pas prévu",
        ),
        ('unit = "botte"', 'unit = "bottes"', "products › radis › unit : « bottes » n'est pas prévu"),
        (
            'drawing = "carrot"',
            'drawing = "carotte"',
            "products › carottes › drawing : « carotte » n'est pas",
        ),
        ('drawing = "carrot"', "drawing = []", "products › carottes › drawing : « [] » n'est pas prévu"),
        # prices
        ('"11,50 €"', '"-11,50 €"', "formulas › petit-panier › prices › n° 1 › price : « -11,50 € » n'est"),
        (
            '"11,50 €"',
            "11.50",
            "formulas › petit-panier › prices › n° 1 › price : « 11.5 » n'est pas un prix",
        ),
        ('"11,50 €"', '"11,5 €"', "formulas › petit-panier › prices › n° 1 › price : « 11,5 € » n'est pas"),
        ('"5,5 %"', '"55 %"', "formulas › petit-panier › prices › n° 1 › vat : « 55 % » n'est pas prévu"),
        ('"5,5 %"', "550", "formulas › petit-panier › prices › n° 1 › vat : « 550 » n'est pas prévu"),
        ("2026-01-01", '"2026-01-01"', "formulas › petit-panier › prices › n° 1 › since : il faut une date"),
        ("2026-01-01", "2026-01-01T08:00:00", "formulas › petit-panier › prices › n° 1 › since : il faut"),
        ("since =", "from =", "formulas › petit-panier › prices › n° 1 › from : cette clé n'existe pas"),
        (
            SECOND_PRICE,
            SECOND_PRICE * 2,
            "formulas › petit-panier › prices › 2026-01-01 › since : il y est 2 fois",
        ),
        (SECOND_PRICE, "", "formulas › petit-panier › prices : il faut au moins un tarif"),
        (SECOND_PRICE, "3", "formulas › petit-panier › prices › n° 1 : il faut des clés"),
        # the file itself
        ('town = "Serres"', "town = Serres", "farm.toml : ce n'est pas du TOML, ligne 19, colonne "),
        ("postcode = ", "postcode = 0", "farm.toml : ce n'est pas du TOML, ligne "),
    ],
)
def test_what_is_wrong_is_named_with_its_place(farm_file: Write, old: str, new: str, says: str) -> None:
    with pytest.raises(BadFarm) as refused:
        read(farm_file((old, new)))
    sentence = str(refused.value)
    assert sentence.startswith(says)
    assert sentence.endswith(".") and "\n" not in sentence


def test_a_list_written_as_a_single_table_is_refused(farm_file: Write) -> None:
    with pytest.raises(BadFarm, match=r"^tours : écrivez \[\[tours\]\] au-dessus de chacun\.$"):
        read(farm_file(text='[tours]\nslug = "mardi"'))


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "farm.toml"
    path.write_bytes(EXAMPLE.encode("cp1252", errors="replace"))
    with pytest.raises(BadFarm, match=r"^farm\.toml : le fichier n'est pas enregistré en UTF-8\.$"):
        read(path)


def test_a_file_saved_by_notepad_is_read(tmp_path: Path) -> None:
    path = tmp_path / "farm.toml"
    path.write_bytes(EXAMPLE.replace("\n", "\r\n").encode("utf-8-sig"))
    assert len(read(path).lists[PRODUCTS.name]) == 6


def test_text_is_one_line_with_french_spaces(farm_file: Write) -> None:
    [_, _, cafe] = read(farm_file()).lists[POINTS.name]
    assert cafe["access"].startswith("Demandez au comptoir\u00a0: les paniers")
    assert cafe["access"].endswith(
        "l'arrière-salle. La rue est piétonne, garez-vous au parking de la Citadelle."
    )


@pytest.mark.parametrize("written", ["11,50 €", "11,50\u00a0€", "11,50\u202f€", "11,50€"])
def test_a_price_is_taken_with_the_space_that_keyboards_and_pages_give(
    farm_file: Write, written: str
) -> None:
    [price] = read(farm_file(('"11,50 €"', f'"{written}"'))).prices["petit-panier"]
    assert (price.price, price.vat_basis_points) == (Money(1150), 550)


def test_the_order_of_the_file_is_that_of_the_round_and_of_the_shelf(farm_file: Write) -> None:
    farm = read(farm_file(('tour = "jeudi"', 'tour = "vendredi"')))
    assert [(p["tour"], p["position"]) for p in farm.lists[POINTS.name]] == [
        ("mardi", 0),
        ("vendredi", 0),
        ("vendredi", 1),
    ]
    assert [formula["position"] for formula in farm.lists[FORMULAS.name]] == [0, 1, 2, 3]


def test_what_the_law_wants_said_may_be_left_out_or_written_and_is_checked(farm_file: Write) -> None:
    card = read(farm_file()).card
    assert card is not None and "siret" not in card and "certifier" not in card
    said = re.sub(r"(?m)^# (?=[a-z_]+ = )", "", EXAMPLE)
    card = read(farm_file(text=said)).card
    assert card is not None
    assert (card["siret"], card["certifier"], card["inactive_years"]) == ("73282932000074", "FR-BIO-01", 3)
    for old, new in (("00074", "00075"), ('certificate = "', '# "'), ("non conforme", "très conforme")):
        with pytest.raises(BadFarm):
            read(farm_file((old, new), text=said))
