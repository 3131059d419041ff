"""/ferme/tournees: the rule of each tour, what it means, what follows it; a year of deliveries."""

from datetime import date, time, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from portal.deliveries.models import Delivery, Tour
from portal.rules.cutoffs import Lead, cutoff_instant
from tests.client import Browser
from tests.farm.forms import NEW_TOUR
from tests.farm.trail import events
from tests.pages import text_of
from tests.world import ADMIN, CUTOFF, NOW, TODAY, TUESDAY

LIST, PAGE, ADD, YEAR = (
    f"/ferme/tournees{end}" for end in ("", "/1", "/ajout", "/livraisons")
)  # /1 is Tuesday's
SAME = {"name": "Tournée du mardi", "weekday": "1", "lead_days": "2", "lead_time": "23:59"}
SATURDAY_EVENING = SAME | {"lead_days": "3", "lead_time": "20:00"}


def tuesdays(session: Session) -> Tour:
    session.expire_all()
    return session.get_one(Tour, 1)


def test_each_tour_tells_its_day_its_last_minute_and_how_far_it_is_prepared(desk):
    page = text_of(desk.get(LIST))
    assert "Tournée du mardi Livrée le mardi Clôture : dimanche, 23 h 59" in page
    assert "Tournée du jeudi Livrée le jeudi Clôture : lundi, 23 h 59" in page
    assert "Livraisons prêtes jusqu'au mardi 18 août 2026" in page


def test_a_new_lead_is_kept_and_tells_how_many_open_deliveries_follow(staff, session):
    following = session.scalar(select(func.count()).where(Delivery.tour_id == 1, Delivery.cutoff_at > NOW))
    answer = staff.submit(PAGE, SATURDAY_EVENING)
    assert answer.status_code == 303
    assert f"La clôture est enregistrée : {following} livraisons ouvertes la suivent." in text_of(
        staff.get(LIST)
    )
    assert tuesdays(session).lead == Lead(3, time(20, 0))
    [event] = events(session)
    assert (event.action, event.before["lead_time"], event.after["lead_time"]) == (
        "tour.rule",
        "23:59",
        "20:00",
    )
    assert event.account_id == 3, "Sophie"


def test_what_keeps_its_cutoff_is_named_with_the_reason(desk, session):
    by_hand, too_late = TUESDAY + timedelta(weeks=1), TUESDAY
    session.execute(
        update(Delivery).where(Delivery.day == by_hand).values(cutoff_at=CUTOFF + timedelta(days=5))
    )
    session.commit()
    desk.submit(PAGE, SAME | {"lead_days": "6", "lead_time": "09:00"})
    page = text_of(desk.get(LIST))
    assert "Gardent la leur, réglée à la main : mardi 23 juin." in page
    assert "Gardent la leur, la nouvelle serait déjà passée : mardi 16 juin." in page
    kept = dict(session.execute(select(Delivery.day, Delivery.cutoff_at).where(Delivery.tour_id == 1)).all())
    assert kept[by_hand] == CUTOFF + timedelta(days=5)
    assert kept[too_late] == CUTOFF
    later = TUESDAY + timedelta(weeks=2)
    assert kept[later] == cutoff_instant(later, Lead(6, time(9, 0)))


def test_what_would_cross_a_neighbour_keeps_its_cutoff_and_is_named(desk, session):
    neighbour = TUESDAY + timedelta(weeks=1)
    early = cutoff_instant(TUESDAY, Lead(1, time(12, 0)))
    session.execute(update(Delivery).where(Delivery.day == neighbour).values(cutoff_at=early))
    session.commit()
    desk.submit(PAGE, SAME | {"lead_days": "0", "lead_time": "12:00"})
    page = text_of(desk.get(LIST))
    assert "Gardent la leur, réglée à la main : mardi 23 juin." in page
    assert "Gardent la leur, la nouvelle croiserait celle d'une livraison voisine : mardi 16 juin." in page


def test_another_name_is_kept_and_nothing_else_moves(staff, session):
    staff.submit(PAGE, SAME | {"name": "  Le   grand tour "})
    assert (tuesdays(session).name, tuesdays(session).lead) == ("Le grand tour", Lead(2, time(23, 59)))
    [event] = events(session)
    assert event.before == {"name": "Tournée du mardi"} and event.after == {"name": "Le grand tour"}
    page = text_of(staff.get(LIST))
    assert "Le nom de la tournée est enregistré." in page and "livraisons ouvertes" not in page


def test_saving_what_is_there_already_changes_and_notes_nothing(desk, session):
    desk.submit(PAGE, SAME)
    assert events(session) == []
    assert "Rien n'a changé" in text_of(desk.get(LIST))


def test_the_word_of_a_tour_stays_whatever_is_sent(desk, session):
    desk.submit(PAGE, SAME | {"slug": "vendredi-soir", "id": "2"})
    assert tuesdays(session).slug == "mardi" and events(session) == []


def test_another_day_is_shown_with_what_follows_agreed_to_and_told(staff, session):
    by_hand = TUESDAY + timedelta(weeks=1)
    session.execute(
        update(Delivery).where(Delivery.day == by_hand).values(cutoff_at=CUTOFF + timedelta(days=5))
    )
    session.commit()
    asked = staff.submit(PAGE, SAME | {"weekday": "3"})
    assert asked.status_code == 422 and tuesdays(session).weekday == 1
    words = text_of(asked)
    assert (
        "9 livraisons ouvertes passent au jeudi de leur semaine. Gardent leur jour : mardi 23 juin." in words
    )
    assert "Oui, changer le jour et prévenir 1 personne" in words
    assert explained(staff, PAGE, **SAME | {"weekday": "3"}).text.count('name="agreed"') == 1
    assert staff.submit(PAGE, SAME | {"weekday": "3", "agreed": "3"}).status_code == 303
    words = text_of(staff.get(LIST))
    assert "9 livraisons ouvertes le suivent. Une personne va recevoir un mail." in words
    own = select(Delivery).where(Delivery.tour_id == 1, Delivery.day >= TODAY).order_by(Delivery.week)
    days = [(d.day, d.nominal_day, d.cutoff_at) for d in session.scalars(own)]
    thursday = TUESDAY + timedelta(days=2)
    assert days[0] == (thursday, thursday, cutoff_instant(thursday, Lead(2, time(23, 59))))
    assert days[1][0] == by_hand, "staff have set it by hand"
    assert [event.action for event in events(session) if event.subject_type == "tour"] == ["tour.weekday"]


def test_a_tour_stops_once_nobody_collects_from_it_and_no_delivery_is_prepared_any_more(staff, session):
    refused = staff.submit(f"{PAGE}/arret")
    assert refused.status_code == 422 and "ne peut pas s'arrêter" in text_of(refused)
    staff.submit(ADD, NEW_TOUR)
    added = session.scalars(select(Tour.id).where(Tour.slug == "samedi")).one()
    session.rollback()
    assert staff.submit(f"{LIST}/{added}/arret").status_code == 303
    assert "Arrêtée" in text_of(staff.get(LIST))
    assert "Tournée du samedi" not in text_of(staff.get("/ferme/points-de-retrait/ajout"))
    staff.submit(YEAR)
    assert session.scalar(select(func.count()).where(Delivery.tour_id == added)) == 0
    session.rollback()
    staff.submit(f"{LIST}/{added}/reprise")
    staff.submit(YEAR)
    assert session.scalar(select(func.count()).where(Delivery.tour_id == added)) > 50


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": ""}, "Nom : à remplir."),
        ({"name": "x" * 81}, "Nom : 80 caractères au plus, il y en a 81."),
        ({"lead_days": "7"}, "Jour de clôture : choisissez dans la liste."),
        ({"lead_days": "-1"}, "Jour de clôture : choisissez dans la liste."),
        ({"lead_days": "２"}, "Jour de clôture : choisissez dans la liste."),
        ({"lead_days": ["2", "3"]}, "Jour de clôture : choisissez dans la liste."),
        ({"lead_time": "24:00"}, "Dernière minute : une heure, comme 16:30."),
        ({"lead_time": ["23:59", "20:00"]}, "Dernière minute : envoyez ce champ une fois."),
    ],
)
def test_what_is_no_rule_is_refused_by_name_and_kept_as_typed(desk, session, change, says):
    answer = desk.submit(PAGE, SATURDAY_EVENING | change)
    assert answer.status_code == 422
    assert text_of(answer).count(says) == 2, "above the form and beside the field"
    if isinstance(typed := next(iter(change.values())), str) and "lead_days" not in change:
        assert f'value="{typed}"' in answer.text
    assert 'value="3"' in answer.text or "lead_days" in change
    assert tuesdays(session).lead == Lead(2, time(23, 59)) and events(session) == []


def test_a_missing_field_is_refused(desk, session):
    for field in SAME:
        sent = {name: value for name, value in SATURDAY_EVENING.items() if name != field}
        assert desk.submit(PAGE, sent).status_code == 422, field
    assert events(session) == []


@pytest.mark.parametrize("key", ["0", "-1", "99", f"{2**63}", "%00", "mardi"])
def test_a_tour_that_does_not_exist_is_not_found(desk, key):
    assert desk.get(f"{LIST}/{key}").status_code == 404
    assert desk.submit(f"{LIST}/{key}", SAME).status_code in {404, 405}


# What a rule means


def test_the_page_explains_the_rule_in_force(desk):
    page = text_of(desk.get(PAGE))
    assert "Clôture : dimanche, 23 h 59" in page
    assert "Une livraison du mardi se modifie jusqu'au dimanche, 23 h 59, cette minute comprise." in page
    assert "Par exemple celle du mardi 16 juin : jusqu'au dimanche 14 juin, 23 h 59." in page


def explained(client: Browser, path: str, **chosen: str):
    return client.get(path, query_string=chosen, headers={"HX-Request": "true"})


def test_the_rule_that_is_being_chosen_is_explained_before_it_is_saved(desk, session):
    answer = explained(desk, PAGE, weekday="1", lead_days="3", lead_time="20:00")
    assert answer.status_code == 200 and answer.text.lstrip().startswith('<div class="closing" id="cloture"')
    assert 'data-announce="Clôture' in answer.text
    assert "celle du mardi 16 juin : jusqu'au samedi 13 juin, 20 h." in text_of(answer)
    assert tuesdays(session).lead == Lead(2, time(23, 59))


def test_the_example_is_a_delivery_that_is_still_open_by_the_rule(desk):
    assert "celle du mardi 23 juin" in text_of(
        explained(desk, PAGE, weekday="1", lead_days="6", lead_time="09:00")
    )


@pytest.mark.parametrize(
    "chosen", [{}, {"lead_days": "7", "lead_time": "20:00"}, {"lead_days": "2", "lead_time": "x"}]
)
def test_what_is_no_rule_yet_is_not_explained(desk, chosen):
    assert "Choisissez les jours" in text_of(explained(desk, PAGE, **chosen))


# A tour more


def test_a_tour_is_added_and_prepared(staff, session):
    assert staff.submit(ADD, NEW_TOUR).status_code == 303
    page = text_of(staff.get(LIST))
    assert "Tournée du samedi Livrée le samedi Clôture : jeudi, 12 h Pas encore de livraison" in page
    added = session.scalars(select(Tour).where(Tour.slug == "samedi")).one()
    assert (added.weekday, added.lead) == (5, Lead(2, time(12, 0)))
    [event] = events(session)
    assert (event.action, event.subject_id, event.account_id) == ("tour.create", str(added.id), 3)
    staff.submit(YEAR)
    days = session.scalars(
        select(Delivery.day).where(Delivery.tour_id == added.id).order_by(Delivery.day)
    ).all()
    assert days[0] == date(2026, 6, 13) and days[-1] > TODAY + timedelta(days=366)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"slug": "mardi"}, "Mot pour les adresses : une autre tournée porte ce mot."),
        ({"slug": "Samedi"}, "Mot pour les adresses : des minuscules sans accent"),
        ({"slug": ""}, "Mot pour les adresses : à remplir."),
        ({"weekday": "7"}, "Jour de livraison : choisissez dans la liste."),
        ({"weekday": ""}, "Jour de livraison : choisissez dans la liste."),
    ],
)
def test_a_tour_that_cannot_be_is_not_added(desk, session, change, says):
    answer = desk.submit(ADD, NEW_TOUR | change)
    assert answer.status_code == 422 and says in text_of(answer)
    assert 'value="Tournée du samedi"' in answer.text
    assert len(session.scalars(select(Tour)).all()) == 3 and events(session) == []


def test_a_new_tours_rule_is_explained_once_it_is_whole(desk):
    assert "Choisissez les jours" in text_of(explained(desk, ADD, lead_days="2", lead_time="12:00"))
    whole = explained(desk, ADD, weekday="5", lead_days="2", lead_time="12:00")
    assert "celle du samedi 13 juin : jusqu'au jeudi 11 juin, 12 h." in text_of(whole)


# A year of deliveries


def test_a_year_is_prepared_once(staff, session):
    before = session.scalar(select(func.count()).select_from(Delivery))
    assert staff.submit(YEAR).status_code == 303
    made = session.scalar(select(func.count()).select_from(Delivery)) - before
    assert made > 3 * 48
    assert f"{made} livraisons sont ajoutées, jusqu'au mercredi 4 août 2027." in text_of(staff.get(LIST))
    staff.submit(YEAR)
    assert session.scalar(select(func.count()).select_from(Delivery)) == before + made
    assert "Toutes les livraisons sont déjà prêtes jusqu'au mercredi 4 août 2027." in text_of(staff.get(LIST))
    [event] = events(session)
    assert (event.action, event.after) == ("delivery.generate", {"deliveries": made, "until": "2027-08-04"})


def test_an_admin_may_do_it_too(client, session):
    client.sign_in(ADMIN)
    client.get(LIST)
    client.submit(PAGE, SATURDAY_EVENING)
    assert [event.account_id for event in events(session)] == [4]


@pytest.mark.parametrize(("path", "most"), [(LIST, 6), (PAGE, 5), (ADD, 5)])
def test_a_page_takes_few_statements(desk, count_queries, path, most):
    with count_queries() as statements:
        assert desk.get(path).status_code == 200
    assert len(statements) <= most
