"""`flask setup`: the farm as the file says it, all of it or nothing, as often as one likes."""

from datetime import date, time

import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalogue.models import Formula, FormulaPrice, Product, Unit
from portal.compositions.models import Composition, CompositionLine, CompositionState
from portal.deliveries.models import Delivery, Tour
from portal.infra.audit import AuditEvent
from portal.infra.orm import Base
from portal.pickup.models import PickupPoint
from portal.profile.models import FarmProfile
from portal.rules.cutoffs import last_minute
from portal.rules.money import Money
from tests.client import Browser
from tests.pages import text_of
from tests.setup.conftest import Setup
from tests.world import CUTOFF, NOW, TODAY, TUESDAY

TOUR = """
[[tours]]
slug = "mardi"
name = "Tournée du mardi"
weekday = "mardi"
lead_days = 2
lead_time = "23:59"
"""
HALLE = """
[[points]]
slug = "halle"
tour = "mardi"
name = "Halle de Serres"
address = "1 place du Village"
postcode = "05700"
town = "Serres"
latitude = 44.4
longitude = 5.7
opens = "16:30"
closes = "19:00"
access = "Sonnez à la porte verte."
capacity = 40
"""
CARROTS = """
[[products]]
slug = "carottes"
name = "Carottes"
unit = "kg"
value = "2,50 €"
drawing = "carrot"
storage = "Au frais, sans fanes."
"""
LARGE = """
[[formulas]]
slug = "grand"
name = "Grand panier"
short_name = "Grand panier"
kind = "légumes"
description = "Ce que le jardin donne cette semaine."
serves = "2 personnes"
drawing = "box-small"
weight = 1
prices = [{ since = 2025-01-01, price = "19,50 €", vat = "5,5 %" }]
"""
PRICE = '{ since = 2025-01-01, price = "19,50 €", vat = "5,5 %" }'


def everything(session: Session) -> list[tuple[object, ...]]:
    """Every row of every table."""
    return [
        (table.name, *row)
        for table in Base.metadata.sorted_tables
        for row in session.execute(select(table).order_by(*table.primary_key))
    ]


def events(session: Session, action: str) -> list[AuditEvent]:
    return list(
        session.scalars(select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id))
    )


def prices_of(session: Session, slug: str) -> dict[date, tuple[Money, int]]:
    rows = session.scalars(select(FormulaPrice).join(Formula).where(Formula.slug == slug))
    return {row.since: (row.price, row.vat_basis_points) for row in rows}


def test_a_farm_that_has_nothing_is_put_into_service_by_the_example(
    setup: Setup, empty: Session, client: Browser
) -> None:
    result = setup()
    assert result.exit_code == 0, result.output
    assert result.output == (
        "Créé : fiche de la ferme (1), tournées (3), points de retrait (3), formules (4), produits (6), tarifs (4)\n"
        "Livraisons ajoutées : 180, jusqu'au mercredi 4\u00a0août 2027\n"
    )
    cutoffs = {
        (row.day, last_minute(row.cutoff_at).strftime("%a %H:%M"))
        for row in empty.scalars(
            select(Delivery).where(Delivery.day.between(TUESDAY, TUESDAY.replace(day=19)))
        )
    }
    assert cutoffs == {
        (date(2026, 6, 16), "Sun 23:59"),
        (date(2026, 6, 18), "Mon 23:59"),
        (date(2026, 6, 19), "Tue 23:59"),
    }
    cafe = empty.scalars(select(PickupPoint).where(PickupPoint.slug == "cafe-de-la-citadelle")).one()
    assert (cafe.tour.slug, cafe.opens, cafe.capacity, cafe.longitude) == ("vendredi", time(16), 35, 5.9432)
    assert prices_of(empty, "grand-panier") == {date(2026, 1, 1): (Money(2400), 550)}
    radish = empty.scalars(select(Product).where(Product.slug == "radis")).one()
    assert (radish.unit, radish.value, radish.drawing) == (Unit.BUNCH, Money(180), "radish")
    empty.rollback()
    home, formulas = text_of(client.get("/")), text_of(client.get("/formules"))
    assert "Les Jardins du Riou" in home and "Café de la Citadelle" in home
    assert "Grand panier" in formulas and "24,00 €" in formulas and "dimanche, 23 h 59" in formulas


def test_the_same_file_again_changes_nothing(setup: Setup, empty: Session) -> None:
    setup()
    before = everything(empty)
    again = setup()
    assert (again.exit_code, again.output) == (0, "Rien à changer.\n")
    assert everything(empty) == before


def test_the_next_days_only_add_deliveries(
    setup: Setup, empty: Session, clock: time_machine.Traveller
) -> None:
    setup()
    clock.move_to(NOW.replace(day=17))
    assert setup().output == "Rien à changer.\nLivraisons ajoutées : 3, jusqu'au mercredi 11\u00a0août 2027\n"


def test_what_differs_is_changed_and_named_with_its_keys(setup: Setup, empty: Session) -> None:
    setup()
    point = empty.scalars(select(PickupPoint.id).where(PickupPoint.slug == "halle-de-serres")).one()
    result = setup(
        ("capacity = 40", "capacity = 50"), ("04 65 71 00 12", "04 65 71 00 13"), ("7 rue Dr", "9 rue Dr")
    )
    assert result.output == (
        "Modifié : farm : phone\n"
        "Modifié : points › halle-de-serres : capacity\n"
        "Modifié : points › cafe-de-la-citadelle : address\n"
        "Inchangé : 18\n"
    )
    changed = empty.scalars(select(PickupPoint).where(PickupPoint.slug == "halle-de-serres")).one()
    assert (changed.id, changed.capacity) == (point, 50)
    assert empty.scalars(select(FarmProfile.phone)).one() == "04 65 71 00 13"


def test_the_trail_names_what_was_changed_but_keeps_no_words(setup: Setup, empty: Session) -> None:
    setup()
    setup(("Sous la halle, côté fontaine.", "Chez Mme Blanc, code 4321."))
    [event] = events(empty, "pickup_point.change")
    assert (event.at, event.account_id, event.before) == (NOW, None, None)
    assert event.after == {"fields": ["access"]}
    assert len(events(empty, "pickup_point.create")) == 3


def test_the_order_of_the_file_is_that_of_the_site_and_what_is_left_alone_comes_behind(
    setup: Setup, session: Session
) -> None:
    result = setup(text=LARGE + LARGE.replace('"grand"', '"tres-grand"'))
    assert "Modifié : formulas › grand : position\n" in result.output
    shown = session.execute(select(Formula.slug, Formula.position).order_by(Formula.position)).all()
    assert [tuple(row) for row in shown] == [("grand", 0), ("tres-grand", 1), ("petit", 2), ("oeufs", 3)]


def test_what_is_no_longer_in_the_file_is_left_alone_and_said(setup: Setup, session: Session) -> None:
    before = everything(session)
    result = setup(text=HALLE.replace("Sonnez", "Frappez"))
    assert result.exit_code == 0, result.output
    left = "tours › mardi, tours › jeudi, tours › vendredi, points › gare, points › mairie, points › cafe, "
    assert f"Absent du fichier, laissé tel quel : {left}formulas › petit, " in result.output
    gone = [row for row in before if row not in everything(session)]
    assert [row[0] for row in gone] == ["pickup_point"], "the Halle's row, which is written anew"


def test_nothing_is_written_when_something_is_wrong(setup: Setup, session: Session) -> None:
    """The file is understood; what the database holds refuses its last line."""
    before = everything(session)
    text = (
        TOUR.replace("23:59", "20:00")
        + CARROTS.replace("carottes", "fenouil")
        + LARGE.replace("19,50", "21,00")
    )
    result = setup(text=text)
    assert result.exit_code == 1
    assert result.output == (
        "formulas › grand › prices › 2025-01-01 : un prix en vigueur ne se réécrit pas ; "
        "ajoutez-en un, daté d'après aujourd'hui.\n"
    )
    assert everything(session) == before


def test_a_file_that_is_not_understood_is_one_sentence_and_exit_code_one(
    setup: Setup, session: Session
) -> None:
    before = everything(session)
    result = setup(text=TOUR.replace("23:59", "20:00") + CARROTS.replace("kg", "tonne"))
    assert result.exit_code == 1
    assert result.output == (
        "products › carottes › unit : « tonne » n'est pas prévu, choisissez parmi : kg, g, pièce, botte.\n"
    )
    assert everything(session) == before


# Tours


def test_a_new_cutoff_reaches_open_deliveries(setup: Setup, session: Session) -> None:
    result = setup(text=TOUR.replace("lead_days = 2", "lead_days = 3").replace("23:59", "20:00"))
    assert result.output.startswith(
        "Modifié : tours › mardi : clôture (livraisons ouvertes qui la suivent : 10)\n"
    )
    cutoff = session.scalars(select(Delivery.cutoff_at).where(Delivery.day == TUESDAY)).one()
    assert last_minute(cutoff).strftime("%a %d %B %H:%M") == "Sat 13 June 20:00"
    added = session.scalars(
        select(Delivery).join(Tour).where(Tour.slug == "mardi").order_by(Delivery.day)
    ).all()
    assert last_minute(added[-1].cutoff_at).strftime("%a %H:%M") == "Sat 20:00"


def test_deliveries_that_keep_their_cutoff_are_named(setup: Setup, session: Session) -> None:
    result = setup(text=TOUR.replace("lead_days = 2", "lead_days = 6").replace("23:59", "08:00"))
    assert "qui la suivent : 9 ; garde la sienne : 16\u00a0juin)" in result.output
    assert session.scalars(select(Delivery.cutoff_at).where(Delivery.day == TUESDAY)).one() == CUTOFF


def test_a_name_can_change_with_the_cutoff(setup: Setup, session: Session) -> None:
    result = setup(text=TOUR.replace("Tournée du mardi", "Vallée du Buëch").replace("23:59", "20:00"))
    assert "tours › mardi : clôture (livraisons ouvertes qui la suivent : 10), name\n" in result.output
    assert session.scalars(select(Tour.name).where(Tour.slug == "mardi")).one() == "Vallée du Buëch"


def test_a_tour_keeps_its_weekday(setup: Setup, session: Session) -> None:
    before = everything(session)
    result = setup(text=TOUR.replace('weekday = "mardi"', 'weekday = "lundi"'))
    assert result.exit_code == 1
    assert result.output == (
        "tours › mardi › weekday : une tournée qui a des livraisons garde son jour ; ajoutez-en une autre.\n"
    )
    assert everything(session) == before


def test_a_new_tour_has_its_deliveries_at_once(setup: Setup, session: Session) -> None:
    setup(text=TOUR.replace('"mardi"', '"samedi"'))
    days = session.scalars(select(Delivery.day).join(Tour).where(Tour.slug == "samedi")).all()
    assert min(days) == TODAY.replace(day=13) and max(days) == date(2027, 7, 31)


# Points


def test_a_point_of_an_unknown_tour_is_refused(setup: Setup, session: Session) -> None:
    result = setup(text=HALLE.replace('"mardi"', '"lundi"'))
    assert (result.exit_code, result.output) == (
        1,
        "points › halle › tour : il n'y a pas de tournée « lundi ».\n",
    )


def test_a_point_where_boxes_are_awaited_keeps_its_tour(setup: Setup, session: Session) -> None:
    before = everything(session)
    result = setup(text=HALLE.replace('"mardi"', '"jeudi"'))
    assert result.exit_code == 1
    assert result.output == (
        "points › halle › tour : un point où des paniers sont attendus garde sa tournée ; ajoutez-en un autre.\n"
    )
    assert everything(session) == before


def test_a_point_that_nobody_uses_may_change_tours(setup: Setup, session: Session) -> None:
    result = setup(text=HALLE.replace("halle", "gare").replace('"mardi"', '"jeudi"'))
    assert result.exit_code == 0, result.output
    assert session.scalars(select(PickupPoint).where(PickupPoint.slug == "gare")).one().tour.slug == "jeudi"


# Prices


def test_a_new_date_adds_a_price_and_the_old_one_stays(setup: Setup, session: Session) -> None:
    more = '{ since = 2026-06-11, price = "20,50 €", vat = "10 %" }'
    result = setup(text=LARGE.replace(PRICE, f"{PRICE}, {more}"))
    assert result.output.startswith("Créé : tarifs (1)\n")
    assert prices_of(session, "grand") == {
        date(2025, 1, 1): (Money(1950), 550),
        date(2026, 6, 11): (Money(2050), 1000),
    }
    [event] = events(session, "formula.price")
    assert (event.subject_type, event.before) == ("formula", None)
    assert event.after == {"since": "2026-06-11", "price": 2050, "vat_basis_points": 1000}


def test_a_price_in_force_is_never_rewritten(setup: Setup, session: Session) -> None:
    for rewritten in (
        PRICE.replace("19,50", "20,50"),
        PRICE.replace("5,5 %", "10 %"),
        PRICE.replace("2025-01-01", "2026-06-10"),  # from this morning on
        f"{PRICE}, {PRICE.replace('2025-01-01', '2025-06-01')}",  # half-way
    ):
        result = setup(text=LARGE.replace(PRICE, rewritten))
        assert result.exit_code == 1 and "un prix en vigueur ne se réécrit pas" in result.output
    assert prices_of(session, "grand") == {date(2025, 1, 1): (Money(1950), 550)}


def test_a_price_to_come_may_still_change(setup: Setup, session: Session) -> None:
    more = '{ since = 2026-06-11, price = "20,50 €", vat = "5,5 %" }'
    setup(text=LARGE.replace(PRICE, f"{PRICE}, {more}"))
    result = setup(text=LARGE.replace(PRICE, f"{PRICE}, {more.replace('20,50', '20,00')}"))
    assert "Modifié : formulas › grand › prices › 2026-06-11\n" in result.output
    assert prices_of(session, "grand")[date(2026, 6, 11)] == (Money(2000), 550)
    [_, event] = events(session, "formula.price")
    assert event.before == {"since": "2026-06-11", "price": 2050, "vat_basis_points": 550}
    assert event.after == {"since": "2026-06-11", "price": 2000, "vat_basis_points": 550}


def test_a_price_to_come_that_is_no_longer_in_the_file_is_said_and_stays(
    setup: Setup, session: Session
) -> None:
    more = '{ since = 2026-06-11, price = "20,50 €", vat = "5,5 %" }'
    setup(text=LARGE.replace(PRICE, f"{PRICE}, {more}"))
    result = setup(text=LARGE)
    assert "formulas › grand › prices › 2026-06-11" in result.output
    assert "2025-01-01" not in setup(text=LARGE.replace(PRICE, more)).output, "what has begun is history"
    assert len(prices_of(session, "grand")) == 2


# Products


def test_what_is_in_boxes_by_weight_stays_so(setup: Setup, session: Session) -> None:
    product = session.scalars(select(Product.id).where(Product.slug == "carottes")).one()
    delivery = session.scalars(select(Delivery.id).where(Delivery.day == TUESDAY)).one()
    formula = session.scalars(select(Formula.id).where(Formula.slug == "grand")).one()
    box = Composition(delivery_id=delivery, formula_id=formula, state=CompositionState.DRAFT)
    box.lines.append(CompositionLine(product_id=product, amount=500))
    session.add(box)
    refused = setup(text=CARROTS.replace('"kg"', '"botte"'))
    assert (refused.exit_code, refused.output) == (
        1,
        "products › carottes › unit : un produit déjà mis en panier reste au poids, ou à la pièce ; "
        "ajoutez-en un autre.\n",
    )
    assert setup(text=CARROTS.replace('"kg"', '"g"')).exit_code == 0
    assert setup(text=CARROTS.replace("carottes", "salade")).exit_code == 0, "in no box yet"
