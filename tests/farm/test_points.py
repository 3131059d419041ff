"""/ferme/points-de-retrait: edit and add, the order of the round, what is offered, who is already there."""

from datetime import time

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.boxes.models import BoxChange
from portal.pickup.models import PickupPoint
from portal.rules.calendar import monday_of
from portal.subscriptions.models import Subscription, Term, Withheld
from tests import crowd
from tests.farm.forms import POINT
from tests.farm.trail import events
from tests.pages import text_of
from tests.world import NOW, TUESDAY

LIST = "/ferme/points-de-retrait"
ADD = f"{LIST}/ajout"
HALLE, GARE, MAIRIE, CAFE = 1, 2, 3, 4
"""Camille collects her two boxes at the Halle, Yacine his at the Mairie; nobody at the Gare or the Café."""
TUESDAYS, THURSDAYS = "1", "2"


def page(point: object) -> str:
    return f"{LIST}/{point}"


def row(session: Session, point: int) -> PickupPoint:
    session.expire_all()
    return session.get_one(PickupPoint, point)


def round_of(session: Session, tour: int = 1) -> list[str]:
    session.expire_all()
    in_order = select(PickupPoint.slug).where(PickupPoint.tour_id == tour).order_by(PickupPoint.position)
    return list(session.scalars(in_order))


# The list


def test_points_stand_tour_by_tour_in_the_order_of_the_round_with_what_is_collected_there(desk, session):
    session.execute(update(PickupPoint).where(PickupPoint.id == HALLE).values(free_places=39))
    session.execute(update(PickupPoint).where(PickupPoint.id == GARE).values(free_places=0))
    session.commit()
    shown = text_of(desk.get(LIST))
    assert (
        "Tournée du mardi Halle de Serres Serres, de 16 h 30 à 19 h"
        " 2 paniers habituels, au moins 39 places libres sur 40 chaque semaine" in shown
    )
    assert "Gare de Veynes Serres, de 16 h 30 à 19 h 0 panier habituel, complet (40 places)" in shown
    assert (
        "Tournée du jeudi Mairie de Laragne Serres, de 16 h 30 à 19 h 1 panier habituel, 40 places" in shown
    )


def test_boxes_of_terms_that_are_over_or_not_begun_are_not_counted(desk, session):
    over, coming = session.scalars(select(Term).where(Term.pickup_point_id == HALLE)).all()
    over.until = monday_of(NOW.date())
    coming.monday = monday_of(TUESDAY)
    session.commit()
    assert "Halle de Serres Serres, de 16 h 30 à 19 h 0 panier habituel" in text_of(desk.get(LIST))


def test_a_subscription_that_has_ended_is_not_counted(desk, session):
    session.execute(update(Subscription).values(last_day=NOW.date().replace(day=1)))
    session.commit()
    assert "Halle de Serres Serres, de 16 h 30 à 19 h 0 panier habituel" in text_of(desk.get(LIST))


# A point's form


def test_a_point_is_changed(staff, session):
    assert staff.submit(page(GARE), POINT | {"tour_id": TUESDAYS}).status_code == 303
    changed = row(session, GARE)
    assert (changed.name, changed.latitude, changed.longitude) == ("Épicerie de l'Étoile", 44.3452, 5.7846)
    assert (changed.opens, changed.closes, changed.capacity) == (time(16, 30), time(19, 0), 25)
    assert changed.slug == "gare", "addresses go on leading there"
    assert "Le point de retrait est enregistré." in text_of(staff.get(page(GARE)))


def test_the_trail_says_from_what_to_what_but_not_where_somebody_lives(desk, session):
    desk.submit(page(GARE), POINT | {"tour_id": TUESDAYS, "closes": "18:00"})
    [event] = events(session)
    assert (event.action, event.subject_id, event.account_id) == ("pickup_point.change", str(GARE), 3)
    assert event.before == {"closes": "19:00", "capacity": 40}
    assert event.after.pop("fields") == [
        "name", "address", "postcode", "town", "latitude", "longitude", "access",
        "contact", "phone", "driver_note",
    ]  # fmt: skip
    assert event.after == {"closes": "18:00", "capacity": 25}


def test_saving_what_is_there_already_changes_and_notes_nothing(desk, session):
    sent = POINT | {"tour_id": TUESDAYS}
    desk.submit(page(GARE), sent)
    before = events(session)
    desk.submit(page(GARE), sent)
    assert events(session) == before
    assert "Rien n'a changé." in text_of(desk.get(page(GARE)))


def test_free_places_follow_the_capacity_until_they_are_counted_again(desk, session):
    session.execute(update(PickupPoint).where(PickupPoint.id == HALLE).values(free_places=39))
    session.commit()
    desk.submit(page(HALLE), POINT)
    assert (row(session, HALLE).capacity, row(session, HALLE).free_places) == (25, 24)
    desk.submit(page(MAIRIE), POINT)
    assert row(session, MAIRIE).free_places is None, "nobody has counted them yet"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": " "}, "Nom : à remplir."),
        ({"name": "x" * 20_000}, "Nom : 120 caractères au plus, il y en a 20 000."),
        ({"tour_id": "9"}, "Tournée : choisissez dans la liste."),
        ({"postcode": "530"}, "Code postal : cinq chiffres, comme 05300."),
        ({"latitude": "91"}, "Latitude : des degrés, de -90 à 90, comme 44,3452."),
        ({"latitude": "NaN"}, "Latitude : des degrés, de -90 à 90, comme 44,3452."),
        ({"longitude": "1e2"}, "Longitude : des degrés, de -180 à 180, comme 44,3452."),
        ({"opens": "19:00"}, "Ferme à : après l'heure d'ouverture."),
        ({"opens": "25:00"}, "Ouvre à : une heure, comme 16:30."),
        ({"access": "\u202e"}, "Accès : à remplir."),
        ({"capacity": "-1"}, "Places : un nombre entier, de 0 à 10 000."),
        ({"capacity": "1_0"}, "Places : un nombre entier, de 0 à 10 000."),
        ({"capacity": "１０"}, "Places : un nombre entier, de 0 à 10 000."),
        ({"capacity": ["10", "20"]}, "Places : envoyez ce champ une fois."),
        ({"offered": []}, "Formules proposées : choisissez dans la liste."),
        ({"offered": ["1", "9"]}, "Formules proposées : choisissez dans la liste."),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_nothing_is_saved(desk, session, change, says):
    for path in (ADD, page(GARE)):
        answer = desk.submit(path, POINT | {"tour_id": TUESDAYS} | change)
        assert answer.status_code == 422
        assert text_of(answer).count(says) == 2, "above the form and beside the field"
        assert 'value="3 rue du Four"' in answer.text, "what was typed is kept"
    assert row(session, GARE).name == "Gare de Veynes"
    assert len(session.scalars(select(PickupPoint)).all()) == 4 and events(session) == []


def test_a_missing_field_is_refused(desk, session):
    whole = POINT | {"tour_id": TUESDAYS}
    for field in whole:
        sent = {name: value for name, value in whole.items() if name != field}
        assert desk.submit(page(GARE), sent).status_code == 422, field
    assert events(session) == []


def test_a_nul_is_refused_before_it_is_read(desk, session):
    assert desk.submit(page(GARE), POINT | {"tour_id": TUESDAYS, "access": "a\0b"}).status_code == 400


def test_fields_that_are_not_asked_for_are_left_alone(desk, session):
    extra = {"slug": "autre", "position": "9", "free_places": "500", "retired_at": "2026-01-01", "id": "3"}
    desk.submit(page(GARE), POINT | {"tour_id": TUESDAYS} | extra)
    changed = row(session, GARE)
    assert (changed.slug, changed.position, changed.free_places, changed.retired_at) == (
        "gare",
        1,
        None,
        None,
    )


def test_markup_in_a_point_is_text(desk):
    desk.submit(
        page(GARE), POINT | {"tour_id": TUESDAYS, "name": '"><b>Gare</b>', "access": "</textarea><b>"}
    )
    for path in (LIST, page(GARE)):
        assert "<b>" not in desk.get(path).text.split("<main")[1]


@pytest.mark.parametrize("key", ["0", "-1", "99", f"{2**63}", "%00", "halle"])
def test_a_point_that_does_not_exist_is_not_found(desk, key):
    assert desk.get(page(key)).status_code == 404
    for act in ("", "/place", "/fermeture", "/reouverture"):
        assert desk.submit(f"{page(key)}{act}", POINT).status_code in {404, 405}, act


# A point more


def test_a_point_is_added_at_the_end_of_its_round_under_a_word_of_its_name(staff, session):
    answer = staff.submit(ADD, POINT | {"tour_id": TUESDAYS})
    assert answer.status_code == 303 and answer.location.endswith(f"{LIST}#point-5")
    assert round_of(session) == ["halle", "gare", "epicerie-de-l-etoile"]
    added = row(session, 5)
    assert (added.capacity, added.free_places, added.retired_at) == (25, 25, None)
    [event] = events(session)
    assert (event.action, event.after) == ("pickup_point.create", {"tour_id": 1, "capacity": 25})


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Halle", "halle-2"),
        ("Œuvre « Été » n° 2", "oeuvre-ete-n-2"),
        ("市場", "point"),
        ("é" * 120, "e" * 50),
    ],
)
def test_the_word_is_plain_and_nobody_elses(desk, session, name, slug):
    desk.submit(ADD, POINT | {"tour_id": TUESDAYS, "name": name})
    assert row(session, 5).slug == slug


def test_two_points_of_one_name_have_two_words(desk, session):
    for page in ("one", "another"):
        desk.submit(ADD, POINT | {"tour_id": THURSDAYS, "page": page})
    assert round_of(session, 2) == ["mairie", "epicerie-de-l-etoile", "epicerie-de-l-etoile-2"]


# The tour of a point


def test_the_tour_of_a_point_stays_while_somebody_counts_on_its_day(staff, session):
    shown = staff.get(page(HALLE))
    assert 'name="tour_id"' not in shown.text
    assert (
        "Tournée du mardi Des abonné·es comptent sur ce jour : pour une autre tournée, ajoutez un point."
        in text_of(shown)
    )
    assert staff.submit(page(HALLE), POINT | {"tour_id": THURSDAYS}).status_code == 303
    assert row(session, HALLE).tour_id == 1


def test_a_box_that_comes_once_counts_as_well(desk, session):
    session.add(BoxChange(subscription_id=1, week=monday_of(TUESDAY), pickup_point_id=GARE, changed_at=NOW))
    session.commit()
    assert 'name="tour_id"' not in desk.get(page(GARE)).text


def test_a_point_that_nobody_uses_changes_its_tour_and_joins_the_end_of_that_round(desk, session):
    desk.submit(page(GARE), POINT | {"tour_id": THURSDAYS})
    assert round_of(session, 1) == ["halle"] and round_of(session, 2) == ["mairie", "gare"]
    [event] = events(session)
    assert event.before["tour_id"] == 1 and event.after["tour_id"] == 2


def test_who_chooses_the_point_meanwhile_keeps_its_day(desk, session, monkeypatch):
    """The form was on offer; under the lock it is asked again."""
    from portal.farm import points

    answers = iter([False, True, True])
    monkeypatch.setattr(points, "_is_used", lambda _point_id: next(answers))
    answer = desk.submit(page(GARE), POINT | {"tour_id": THURSDAYS})
    assert answer.status_code == 422
    assert "Rien n'est enregistré : quelqu'un vient de choisir ce point" in text_of(answer)
    assert row(session, GARE).tour_id == 1 and events(session) == []


# Places and formulas


def test_fewer_places_than_are_taken_are_allowed_and_warned_of(staff, session):
    crowd.add(session, 20)
    assert staff.submit(page(HALLE), POINT | {"capacity": "3"}).status_code == 303
    assert row(session, HALLE).capacity == 3
    warned = text_of(staff.get(page(HALLE)))
    assert "Il y a 3 places et" in warned and "Personne ne perd la sienne" in warned


def test_eggs_take_no_place(desk, session):
    desk.submit(page(HALLE), POINT | {"capacity": "1"})
    assert "Il y a 1 places" not in text_of(desk.get(page(HALLE))), "a large box and eggs in one place"


def test_a_formula_is_withheld_and_who_receives_it_keeps_it(staff, session):
    assert staff.submit(page(HALLE), POINT | {"offered": ["1", "3"]}).status_code == 303
    assert session.execute(select(Withheld.pickup_point_id, Withheld.formula_id)).all() == [(HALLE, 2)]
    shown = staff.get(page(HALLE))
    assert "« Grand panier » n'est plus proposé ici ; 1 y est encore retiré, et le reste." in text_of(shown)
    assert 'value="1" checked' in shown.text and 'value="2" checked' not in shown.text
    event = events(session)[-1]
    assert (event.action, event.before, event.after) == (
        "pickup_point.formulas",
        {"withheld": []},
        {"withheld": [2]},
    )
    staff.submit(page(HALLE), POINT)
    assert session.scalars(select(Withheld)).all() == []


def test_withholding_what_nobody_receives_there_warns_of_nothing(desk):
    desk.submit(page(HALLE), POINT | {"offered": ["2", "3"]})
    assert "n'est plus proposé ici" not in text_of(desk.get(page(HALLE)))


# Offered or not


def test_a_point_is_offered_no_more_and_again(staff, session, clock):
    assert "2 paniers y sont retirés : rien ne change pour eux." in text_of(staff.get(page(HALLE)))
    for act, retired in (
        ("fermeture", True),
        ("fermeture", True),
        ("reouverture", False),
        ("reouverture", False),
    ):
        assert staff.submit(f"{page(HALLE)}/{act}").status_code == 303
        clock.shift(1)
        assert (row(session, HALLE).retired_at is not None) == retired
        assert ("Plus proposé" in text_of(staff.get(LIST))) == retired
    assert [(event.action, event.before, event.after) for event in events(session)] == [
        ("pickup_point.change", {"retired_at": None}, {"retired_at": NOW.isoformat()}),
        ("pickup_point.change", {"retired_at": NOW.isoformat()}, {"retired_at": None}),
    ]


# The order of the round


def test_a_point_is_moved_within_its_round(staff, session):
    answer = staff.submit(f"{page(GARE)}/place", {"place": "1"})
    assert round_of(session) == ["gare", "halle"]
    if staff.htmx:
        assert answer.status_code == 200 and answer.text.lstrip().startswith(
            '<section class="section" id="tournee-1"'
        )
        assert (
            'data-announce="Gare de Veynes\u00a0: arrêt 1 sur 2"' in answer.text
            and "data-focus" in answer.text
        )
        assert "Mairie" not in answer.text
    else:
        assert answer.status_code == 303 and answer.location.endswith(f"{LIST}#point-{GARE}")
    [event] = events(session)
    assert (event.action, event.before, event.after) == ("pickup_point.place", {"place": 1}, {"place": 0})


def test_a_point_that_is_where_it_is_wanted_stays_and_nothing_is_noted(staff, session):
    for place in ("2", "1000"):
        assert staff.submit(f"{page(GARE)}/place", {"place": place}).status_code in {200, 303}
    assert round_of(session) == ["halle", "gare"] and events(session) == []


def test_what_is_no_place_is_refused(staff, session):
    for place in ([], "0", "-1", "1e3", "１", "1_0", "1" + "0" * 20, "", "haut", ["1", "2"]):
        assert staff.submit(f"{page(GARE)}/place", {"place": place}).status_code == 422, place
    assert round_of(session) == ["halle", "gare"]


def test_the_first_goes_no_earlier_and_the_last_no_later(desk):
    shown = desk.get(LIST).text
    assert "Avancer Halle" not in shown and "Reculer Halle" in shown
    assert "Avancer Gare" in shown and "Reculer Gare" not in shown


# What it costs


@pytest.mark.parametrize(("path", "most"), [(LIST, 7), (page(HALLE), 13), (ADD, 9)])
def test_a_page_takes_the_same_number_of_statements_however_many_collect_there(
    desk, session, count_queries, path, most
):
    def statements() -> int:
        session.rollback()
        with count_queries() as seen:
            assert desk.get(path).status_code == 200
        return len(seen)

    few = statements()
    crowd.add(session, 60)
    assert statements() == few <= most
