"""/ferme/commandes: what was ordered for which delivery, judged by staff."""

from datetime import time, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from time_machine import Traveller

from portal.catalogue.models import Article
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.rules.orders import OrderState
from portal.rules.selling import SaleUnit, StockKind
from portal.shop.models import Happening, Order, OrderEvent, OrderLine, Withdrawal
from tests.client import Browser
from tests.pages import text_of
from tests.shop.making import article, order
from tests.world import CAMILLE, CUTOFF, NOW, STAFF, TUESDAY, YACINE

PLACED, ACCEPTED, REFUSED, PREPARED = (
    OrderState.PLACED,
    OrderState.ACCEPTED,
    OrderState.REFUSED,
    OrderState.PREPARED,
)
PAGE = "/ferme/commandes/2026-06-16/mardi"


@pytest.fixture
def staff(browser: Browser) -> Browser:
    return sign_in(browser)


@pytest.fixture
def packers(browser: Browser, clock: Traveller) -> Browser:
    """Staff, once the delivery is closed."""
    clock.move_to(CUTOFF)
    return sign_in(browser)


def sign_in(browser: Browser) -> Browser:
    browser.sign_in(STAFF)
    browser.get("/mon-compte")
    return browser


def page_of(made: Order) -> str:
    return f"/ferme/commandes/{made.id}"


def state_of(session: Session, made: Order) -> OrderState:
    session.expire_all()
    return session.get_one(Order, made.id).state


def mails(session: Session) -> list[str]:
    session.expire_all()
    return list(session.scalars(select(Mail.recipient).order_by(Mail.id)))


# What there is


def test_deliveries_stand_with_the_counts_of_their_orders(staff, session):
    honey = article(session)
    order(session, {honey: 1}, state=PLACED)
    order(session, {honey: 2}, email=None)
    order(session, {honey: 2}, state=PREPARED, day=TUESDAY - timedelta(weeks=1))
    session.commit()
    page = text_of(staff.get("/ferme/commandes"))
    coming, past = page.split("Trois semaines passées")
    assert "mardi 16 juin Tournée du mardi Ouverte 1 à accepter 1 à préparer" in coming
    assert "mardi 9 juin Tournée du mardi Terminée 1 préparée" in past
    assert coming.index("jeudi 11 juin") < coming.index("mardi 16 juin"), "the next one first"


def test_orders_of_a_delivery_are_narrowed_by_state_point_product_buyer_and_words(staff, session):
    honey, juice = article(session), article(session, "Jus de pomme")
    camille = order(session, {honey: 1}, state=PLACED)
    yacine = order(session, {juice: 1}, email=YACINE, point="gare", name="Éva Œillet")
    guest = order(session, {honey: 1, juice: 2}, email=None)
    numbers = {made.number for made in (camille, yacine, guest)}
    session.commit()

    def shown(**wanted: object) -> set[str]:
        page = text_of(staff.get(PAGE, query_string=wanted))
        return {number for number in numbers if number in page}

    assert shown() == numbers
    assert shown(etat="placed") == {camille.number}
    assert shown(point=yacine.pickup_point_id) == {yacine.number}
    assert shown(produit=honey.id) == {camille.number, guest.number}
    assert shown(qui="invites") == {guest.number}
    assert shown(qui="abonnes", etat="accepted") == {yacine.number}
    assert shown(q="eva oeil") == {yacine.number}
    assert shown(q=guest.number.lower()) == {guest.number}
    assert shown(q="'") == shown(etat="nothing") == set()


def test_an_order_is_found_by_its_number_and_a_person_by_a_part_of_the_name(staff, session):
    made = order(session, {article(session): 1}, day=TUESDAY - timedelta(weeks=2))
    session.commit()
    assert staff.get("/ferme/commandes?q=" + made.number.lower()).location == page_of(made)
    assert made.number in text_of(staff.get("/ferme/commandes?q=aubERT"))
    for nobody in ("B99999", "zz", "%", "B" + "9" * 30):
        assert "Aucune commande" in text_of(staff.get("/ferme/commandes", query_string={"q": nobody}))


def test_an_order_shows_all_that_one_knows_of_it(staff, session):
    made = order(session, {article(session): 2}, email=None, state=PLACED)
    made.events.append(OrderEvent(at=NOW, what=Happening.MOVED, reason="Le point est fermé."))
    session.commit()
    page = text_of(staff.get(page_of(made)))
    for words in (
        "Emma Roux, invité·e, règle au point de retrait",
        "Miel",
        "13,00 €",
        "Halle de Serres, mardi 16 juin 2026",
        "06 39 98 00 02",
        "emma@example.org",
        "3 rue du Four, 05700 Serres",
        "Envoyée mardi 9 juin, 10 h",
        "Le point est fermé.",
    ):
        assert words in page
    assert staff.get("/ferme/commandes/99999").status_code == 404


def test_it_takes_the_same_number_of_statements_for_three_and_for_three_hundred(
    client, session, count_queries
):
    client.sign_in(STAFF)
    honey = article(session)

    def statements(path: str) -> int:
        with count_queries() as seen:
            assert client.get(path).status_code == 200
        return len(seen)

    def add(people: int) -> None:
        for _ in range(people):
            order(session, {honey: 1}, email=None)
        session.commit()

    add(3)
    few = [statements(path) for path in (PAGE, "/ferme/commandes", "/ferme")]
    add(297)
    assert [statements(path) for path in (PAGE, "/ferme/commandes", "/ferme")] == few


# Accepting and refusing


def test_an_order_is_accepted_once_and_one_mail_says_so(staff, session):
    made = order(session, {article(session): 1}, state=PLACED)
    session.commit()
    for _ in range(2):
        assert staff.submit(f"{page_of(made)}/acceptation").status_code == 303
    assert state_of(session, made) is ACCEPTED
    assert mails(session) == [CAMILLE]
    trail = session.scalars(select(AuditEvent).where(AuditEvent.subject_type == "shop_order")).one()
    assert (trail.before, trail.after) == ({"state": "placed"}, {"state": "accepted"})
    assert trail.account_id == 3


def test_who_refuses_says_why_and_the_person_reads_it(staff, session):
    made = order(session, {article(session): 1}, state=PLACED)
    session.commit()
    refused = staff.submit(f"{page_of(made)}/refus", {"reason": " "})
    assert refused.status_code == 422 and "Pourquoi : à remplir." in text_of(refused)
    assert staff.submit(f"{page_of(made)}/refus", {"reason": "La ruche est vide."}).status_code == 303
    assert state_of(session, made) is REFUSED
    assert "La ruche est vide." in session.scalars(select(Mail.text)).one()
    assert "La ruche est vide." in text_of(staff.get(page_of(made)))


def test_past_the_cutoff_only_what_is_short_lets_one_refuse(staff, session, clock):
    made = order(session, {article(session): 1})
    session.commit()
    clock.move_to(CUTOFF)
    sign_in(staff)
    assert "Refuser cette commande" not in text_of(staff.get(page_of(made)))
    late = staff.submit(f"{page_of(made)}/refus", {"reason": "Trop loin."})
    assert late.status_code == 422 and "Notez d'abord le manque" in text_of(late)
    session.get_one(Order, made.id).events.append(OrderEvent(at=NOW, what=Happening.SHORT))
    session.commit()
    assert staff.submit(f"{page_of(made)}/refus", {"reason": "Plus de miel."}).status_code == 303
    assert state_of(session, made) is REFUSED


@pytest.mark.parametrize("act", ["acceptation", "refus", "preparation"])
def test_what_is_over_stays_as_it_is(staff, session, act):
    made = order(session, {article(session): 1}, state=OrderState.CANCELLED)
    session.commit()
    answer = staff.submit(f"{page_of(made)}/{act}", {"reason": "Non.", "prete": "oui"})
    assert answer.status_code == 422 and "relisez son état" in text_of(answer)
    assert state_of(session, made) is OrderState.CANCELLED and mails(session) == []


def test_staff_cancel_for_an_owner_who_asks_for_it_as_long_as_the_owner_could(staff, session, clock):
    honey = article(session, stock_kind=StockKind.COUNTED, stock=0)
    bread = article(session, "Pain", lead_days=6, lead_time=time(9, 59))
    made, baked = order(session, {honey: 2}), order(session, {bread: 1})
    late = order(session, {honey: 1})
    session.commit()
    assert staff.submit(f"{page_of(made)}/annulation", {"reason": ""}).status_code == 422
    assert "Annuler à sa demande" in text_of(staff.get(page_of(made)))
    for _ in range(2):
        answer = staff.submit(f"{page_of(made)}/annulation", {"reason": "Vous avez téléphoné."})
        assert answer.status_code == 303
    assert state_of(session, made) is OrderState.CANCELLED
    assert session.get_one(Article, honey.id).stock == 2
    assert "Vous avez téléphoné." in session.scalars(select(Mail.text)).one()
    assert "Annuler à sa demande" not in text_of(staff.get(page_of(baked)))
    assert staff.submit(f"{page_of(baked)}/annulation", {"reason": "Trop tard."}).status_code == 422
    clock.move_to(CUTOFF)
    sign_in(staff)
    assert staff.submit(f"{page_of(late)}/annulation", {"reason": "Trop tard."}).status_code == 422
    assert [state_of(session, one) for one in (baked, late)] == [ACCEPTED, ACCEPTED]


def test_all_that_wait_are_accepted_in_one_press(staff, session):
    honey = article(session)
    waiting = [order(session, {honey: 1}, state=PLACED) for _ in range(2)]
    other = order(session, {honey: 1}, state=PLACED, email=YACINE, point="mairie", day=TUESDAY + timedelta(2))
    session.commit()
    staff.submit(f"{PAGE}/acceptation")
    assert "2 commandes sont acceptées" in text_of(staff.get(PAGE))
    assert [state_of(session, made) for made in (*waiting, other)] == [ACCEPTED, ACCEPTED, PLACED]
    assert mails(session) == [CAMILLE, CAMILLE]
    staff.submit(f"{PAGE}/acceptation")
    assert len(mails(session)) == 2


# Prepared


def test_an_order_is_marked_as_prepared_and_that_is_undone_and_told_once(packers, session):
    made = order(session, {article(session): 1})
    session.commit()
    for said, state in (("oui", PREPARED), ("oui", PREPARED), ("non", ACCEPTED), ("oui", PREPARED)):
        assert packers.submit(f"{page_of(made)}/preparation", {"prete": said}).status_code == 303
        assert state_of(session, made) is state
    assert mails(session) == [CAMILLE]
    assert packers.submit(f"{page_of(made)}/preparation", {"prete": "peut-être"}).status_code == 422


def test_nothing_is_prepared_while_its_owner_may_still_change_it(staff, session, clock):
    made = order(session, {article(session): 1})
    session.commit()
    clock.move_to(CUTOFF - timedelta(milliseconds=1))
    sign_in(staff)
    until = "une fois la livraison close, à partir du lundi 15 juin, 0 h"
    assert until in text_of(staff.get(page_of(made)))
    for page in (PAGE, page_of(made)):
        assert f'action="{page}/preparation"' not in staff.get(page).get_data(as_text=True)
        early = staff.submit(f"{page}/preparation", {"prete": "oui"})
        assert early.status_code == 422 and until in text_of(early)
    assert state_of(session, made) is ACCEPTED and mails(session) == []
    clock.move_to(CUTOFF)
    sign_in(staff)
    for page in (PAGE, page_of(made)):
        assert "/preparation" in staff.get(page).get_data(as_text=True)


def test_what_is_not_weighed_is_not_prepared(packers, session):
    carrots = article(session, "Carottes", 240, sale_unit=SaleUnit.WEIGHT, step=250)
    made, other = order(session, {carrots: 500}), order(session, {article(session): 1})
    session.commit()
    answer = packers.submit(f"{page_of(made)}/preparation", {"prete": "oui"})
    assert answer.status_code == 422 and "reste quelque chose à peser" in text_of(answer)
    packers.submit(f"{PAGE}/preparation")
    assert "Une commande attend encore la balance" in text_of(packers.get(PAGE))
    assert [state_of(session, one) for one in (made, other)] == [ACCEPTED, PREPARED]


def test_all_of_a_point_or_of_a_delivery_are_marked_as_prepared(packers, session):
    honey = article(session)
    hall, station = order(session, {honey: 1}), order(session, {honey: 1}, email=None, point="gare")
    session.commit()
    assert packers.submit(f"{PAGE}/preparation", {"point": "999"}).status_code == 422
    packers.submit(f"{PAGE}/preparation", {"point": station.pickup_point_id})
    assert [state_of(session, made) for made in (hall, station)] == [ACCEPTED, PREPARED]
    packers.submit(f"{PAGE}/preparation")
    assert state_of(session, hall) is PREPARED
    assert mails(session) == ["emma@example.org", CAMILLE]


def test_all_in_one_press_reads_the_same_number_of_times_for_three_and_for_thirty(
    app, session, clock, count_queries
):
    honey = article(session)

    def reads(people: int) -> list[int]:
        clock.move_to(NOW)
        for _ in range(people):
            order(session, {honey: 1}, state=PLACED, email=None)
        session.commit()
        counts = []
        for act, moment in (("acceptation", NOW), ("preparation", CUTOFF)):
            clock.move_to(moment)
            client = sign_in(app.test_client())
            with count_queries() as seen:
                client.submit(f"{PAGE}/{act}")
            counts.append(sum(not statement.startswith("INSERT") for statement in seen))
        assert len(mails(session)) == 2 * session.scalar(select(func.count(Order.id)))
        return counts

    assert reads(3) == reads(30)


# Withdrawal, and what the week says


def test_a_withdrawal_is_marked_as_settled(staff, session):
    made = order(session, {article(session): 1}, state=OrderState.DELIVERED)
    declared = Withdrawal(order_id=made.id, made_at=NOW, name="Camille Aubert", email=CAMILLE)
    session.add(declared)
    session.flush()
    session.scalars(select(OrderLine)).one().withdrawal_id = declared.id
    session.commit()
    assert "Rétractation reçue le mercredi 10 juin, 10 h : 1 × Miel (6,50 €)" in text_of(
        staff.get(page_of(made))
    )
    for _ in range(2):
        assert staff.submit(f"{page_of(made)}/retractations/{declared.id}").status_code == 303
    assert "Réglée le mercredi 10 juin, 10 h" in text_of(staff.get(page_of(made)))
    trail = select(AuditEvent).where(AuditEvent.action == "withdrawal.settle")
    assert len(session.scalars(trail).all()) == 1
    other = order(session, {article(session, "Jus"): 1})
    session.commit()
    assert staff.submit(f"{page_of(other)}/retractations/{declared.id}").status_code == 404


def test_the_week_says_how_many_orders_wait_for_what(client, session, clock):
    carrots = article(session, "Carottes", 240, sale_unit=SaleUnit.WEIGHT, step=250)
    order(session, {carrots: 500}, state=PLACED)
    for _ in range(2):
        order(session, {carrots: 500})
    session.commit()
    client.sign_in(STAFF)
    page = text_of(client.get("/ferme"))
    assert "et 3 commandes" in page and "Une commande à accepter" in page
    assert "à peser" not in page and "à préparer" not in page, "one may still change one's mind"
    clock.move_to(CUTOFF)
    client.sign_in(STAFF)
    page = text_of(client.get("/ferme"))
    assert "Imprimer les listes Récolter 2 pesées à faire 2 commandes à préparer Mettre en panier" in page
    assert "1 à accepter 2 à préparer 2 à peser" in text_of(client.get("/ferme/livraisons/2026-06-16/mardi"))


def test_who_has_only_ordered_is_named_before_their_delivery_is_cancelled(client, session):
    order(session, {article(session): 1}, email=None, point="mairie", day=TUESDAY + timedelta(days=9))
    session.commit()
    client.sign_in(STAFF)
    page = text_of(client.get("/ferme/livraisons/2026-06-25/jeudi/annulation"))
    assert "Une commande passe à la livraison suivante" in page and "Roux Emma" in page
    assert "personne à prévenir" not in page


def test_who_accepts_in_the_list_stays_in_the_list(staff, session):
    made = order(session, {article(session): 1}, state=OrderState.PLACED).id
    session.commit()
    staff.get("/ferme/commandes/2026-06-16/mardi?etat=placed&q=aubert")
    answer = staff.submit(f"/ferme/commandes/{made}/acceptation", {"liste": "etat=placed&q=aubert&day=x"})
    assert answer.status_code == 303
    assert answer.location == f"/ferme/commandes/2026-06-16/mardi?etat=placed&q=aubert#commande-{made}"
