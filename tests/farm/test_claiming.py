"""A guest's orders become an account's on the word of staff."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.infra.audit import AuditEvent
from portal.shop.models import Order
from portal.shop.tokens import order_token
from tests.accounts.people import account_of
from tests.client import Browser
from tests.pages import text_of
from tests.shop.making import article, order
from tests.world import CAMILLE, STAFF


def test_a_guests_orders_go_to_the_account_that_staff_make_and_vouch_for(
    staff: Browser, session: Session
) -> None:
    honey = article(session)
    first, second = (order(session, {honey: 1}, email=None, with_box=False) for _ in range(2))
    second.email = "Emma@example.org"
    others = order(session, {honey: 1}, email=None, with_box=False, name="X", phone="")
    others.email = "x@example.org"
    session.commit()
    token, page = order_token(first.id), f"/ferme/commandes/{first.id}"
    assert "Personne n'a de compte à l'adresse" in text_of(staff.get(page))
    form = staff.get(f"/ferme/abonnes/ajout?commande={first.id}").text
    assert 'value="Emma"' in form and 'value="Roux"' in form and 'value="emma@example.org"' in form
    made = staff.submit(
        "/ferme/abonnes/ajout",
        {"first_name": "Emma", "last_name": "Roux", "email": "emma@example.org", "phone": "06 39 98 00 02",
         "street": "", "postcode": "", "town": "", "commande": str(first.id)},
    )  # fmt: skip
    assert made.location == f"{page}#compte"
    emma = account_of(session, "emma@example.org").id
    seen = text_of(staff.get(page))
    assert "Emma Roux, C" in seen and "Rattacher ses 2 commandes à son compte" in seen
    for unsure in ({"compte": str(emma)}, {"compte": "1", "sur": "oui"}, {}):
        answer = staff.submit(f"{page}/compte", unsure)
        assert answer.status_code == 422 and "Rien n'a changé" in text_of(answer)
    session.expire_all()
    assert first.account_id is None
    sure = {"compte": str(emma), "sur": "oui"}
    assert staff.submit(f"{page}/compte", sure).location == f"/ferme/abonnes/{emma}"
    assert staff.submit(f"{page}/compte", sure).location == page, "done already"
    session.expire_all()
    assert (first.account_id, second.account_id, others.account_id) == (emma, emma, None)
    lines = session.scalars(select(AuditEvent).where(AuditEvent.action == "order.claim")).all()
    assert [(line.subject_id, line.account_id, line.after) for line in lines] == [
        (str(one.id), account_of(session, STAFF).id, {"account": emma}) for one in (first, second)
    ]
    assert staff.get(f"/lien/commande/{token}").location == f"/commandes/{first.id}"
    assert "a rattaché la commande à un compte" in text_of(staff.get(f"/ferme/abonnes/{emma}"))


def test_nobodys_order_is_taken_by_another_address(staff: Browser, session: Session) -> None:
    guests = order(session, {article(session): 1}, email=None, with_box=False)
    session.commit()
    camille = account_of(session, CAMILLE).id
    answer = staff.submit(f"/ferme/commandes/{guests.id}/compte", {"compte": str(camille), "sur": "oui"})
    assert answer.status_code == 422
    session.expire_all()
    assert session.get_one(Order, guests.id).account_id is None
