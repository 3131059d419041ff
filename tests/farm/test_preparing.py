"""Orders at the scale, and what is short of."""

import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalogue.models import Article, NotOnTour
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.selling import SaleUnit, StockKind
from portal.shop import amending, queries
from portal.shop.models import Happening, Order, OrderLine, Voucher, VoucherUse
from tests.client import Browser
from tests.pages import text_of
from tests.shop.making import article, order
from tests.shop.vouching import voucher
from tests.world import CAMILLE, STAFF, TUESDAY, YACINE

PAGE = "/ferme/commandes/2026-06-16/mardi"
SCALE = f"{PAGE}/pesee"
EMMA = "emma@example.org"
THURSDAY = TUESDAY + timedelta(days=2)


@pytest.fixture
def staff(browser: Browser) -> Browser:
    browser.sign_in(STAFF)
    browser.get("/mon-compte")
    return browser


@pytest.fixture
def carrots(session: Session) -> Article:
    return article(session, "Carottes", 240, sale_unit=SaleUnit.WEIGHT, step=250)


def given(session: Session, made: Order) -> list[int | None]:
    session.expire_all()
    return [line.given for line in session.get_one(Order, made.id).lines]


def total(session: Session, made: Order) -> Money:
    found = queries.find(session, made.id)
    assert found
    return found.total


def happenings(session: Session, made: Order) -> list[Happening]:
    return [event.what for event in session.get_one(Order, made.id).events]


def mails(session: Session) -> list[Mail]:
    session.expire_all()
    return list(session.scalars(select(Mail).order_by(Mail.id)))


# At the scale


def test_what_is_sold_by_weight_waits_for_the_scale_article_by_article(staff, session, carrots):
    leeks = article(session, "Poireaux", 320, sale_unit=SaleUnit.WEIGHT, step=500)
    order(session, {carrots: 500, leeks: 1000})
    order(session, {carrots: 250}, email=None, point="gare")
    order(session, {article(session): 1}, email=YACINE)
    order(session, {carrots: 750}, state=OrderState.REFUSED)
    session.commit()
    page = text_of(staff.get(SCALE))
    first, second = page.split("Poireaux 3,20 € le kilo")
    assert "Encore 3 pesées." in first and "Carottes 2,40 € le kilo" in first
    assert "Camille Aubert B10001, Halle de Serres 500 g env. 1,20 €" in first
    assert "Emma Roux B10002, Gare de Veynes 250 g env. 0,60 €" in first
    assert "1 kg env. 3,20 €" in second
    assert "Miel" not in page and "750 g" not in page
    assert "jusqu'au dimanche 14 juin, 23 h 59, sauf ce qui est déjà pesé" in page


def test_a_weight_is_saved_as_it_is_typed_and_the_price_follows(staff, session, carrots):
    made = order(session, {carrots: 500})
    line = made.lines[0].id
    session.commit()
    answer = staff.submit(f"{SCALE}/{line}", {f"poids-{line}": "0,480"})
    if staff.htmx:
        assert answer.status_code == 200
        assert "1,15 €" in text_of(answer) and "Tout est pesé." in text_of(answer)
        assert f'id="prix-{line}" data-hx-swap-oob="true"' in answer.get_data(as_text=True)
    else:
        assert answer.status_code == 303
    assert given(session, made) == [480] and total(session, made) == Money(115)
    assert happenings(session, made)[-1] is Happening.WEIGHED
    trail = session.scalars(select(AuditEvent).where(AuditEvent.action == "order_line.change")).one()
    assert (trail.before, trail.after, trail.account_id) == ({"given": None}, {"given": 480}, 3)


def test_the_form_saves_what_was_typed_over_and_leaves_the_rest(staff, session, carrots):
    first, second = order(session, {carrots: 500}), order(session, {carrots: 250}, email=None)
    one, other = first.lines[0].id, second.lines[0].id
    second.lines[0].given = 260
    session.commit()
    typed = {f"poids-{one}": "510 g", f"etait-{one}": "", f"poids-{other}": "", f"etait-{other}": ""}
    assert staff.submit(SCALE, typed).status_code == 303
    assert (given(session, first), given(session, second)) == ([510], [260]), "weighed by somebody else"
    staff.submit(SCALE, {f"poids-{other}": "", f"etait-{other}": "0,260"})
    assert given(session, second) == [None], "to be weighed again"


@pytest.mark.parametrize("typed", ["beaucoup", "-1", "1e3", "1_0", "0,4801", "99", "10" * 10, "NaN"])
def test_what_is_no_weight_is_refused_and_kept_to_be_mended(staff, session, carrots, typed):
    made = order(session, {carrots: 500})
    line = made.lines[0].id
    session.commit()
    if typed == "99":
        typed = "99 kg"
    for path in (SCALE, f"{SCALE}/{line}"):
        answer = staff.submit(path, {f"poids-{line}": typed, f"etait-{line}": ""})
        body = answer.get_data(as_text=True)
        assert answer.status_code == 422 and f'value="{typed}"' in body and 'aria-invalid="true"' in body
    assert given(session, made) == [None]


def test_a_weight_far_from_what_was_ordered_is_saved_with_a_warning(staff, session, carrots):
    made = order(session, {carrots: 500})
    line = made.lines[0].id
    session.commit()
    answer = staff.submit(f"{SCALE}/{line}", {f"poids-{line}": "4,8"})
    page = text_of(answer if staff.htmx else staff.get(SCALE))
    assert "Loin des 500 g commandés : vérifiez." in page
    assert given(session, made) == [4800]


def test_only_what_is_weighed_of_this_delivery_reaches_the_scale(staff, session, carrots):
    jar = order(session, {article(session): 1}).lines[0].id
    placed = order(session, {carrots: 250}, state=OrderState.PLACED).lines[0].id
    elsewhere = order(session, {carrots: 250}, point="mairie", email=YACINE, day=THURSDAY).lines[0].id
    session.commit()
    for line in (jar, placed, elsewhere, 999):
        assert staff.submit(f"{SCALE}/{line}", {f"poids-{line}": "1"}).status_code == 404
        staff.submit(SCALE, {f"poids-{line}": "1", f"etait-{line}": ""})
    assert set(session.scalars(select(OrderLine.given))) == {None}


def test_what_was_forgotten_is_weighed_after_it_has_left_and_its_owner_told(staff, session, carrots):
    made = order(session, {carrots: 500}, state=OrderState.DELIVERED)
    line = made.lines[0].id
    session.commit()
    assert "1 à peser" in text_of(staff.get(PAGE))
    assert "Peser" in text_of(staff.get(f"/ferme/commandes/{made.id}"))
    for _ in range(2):
        staff.submit(f"{SCALE}/{line}", {f"poids-{line}": "0,600"})
    assert given(session, made) == [600] and total(session, made) == Money(144)
    [mail] = mails(session)
    said = " ".join((mail.text or "").replace("\u202f", " ").replace("\u00a0", " ").split())
    assert "Un poids a été noté après la livraison" in said and "Total : 1,44 € TTC" in said
    assert "À retirer" not in said and "À retirer" not in (mail.html or "")
    again = staff.submit(f"{SCALE}/{line}", {f"poids-{line}": ""})
    assert again.status_code == 422 and given(session, made) == [600], "what is paid for has its weight"


def test_a_bag_whose_weight_is_taken_back_is_packed_again(staff, session, carrots):
    made = order(session, {carrots: 500}, state=OrderState.PREPARED)
    line = made.lines[0]
    line.given = 480
    session.commit()
    staff.submit(f"{SCALE}/{line.id}", {f"poids-{line.id}": "0,490"})
    assert given(session, made) == [490] and made.state is OrderState.PREPARED
    staff.submit(f"{SCALE}/{line.id}", {f"poids-{line.id}": ""})
    assert given(session, made) == [None] and made.state is OrderState.ACCEPTED
    assert mails(session) == []


@pytest.mark.parametrize(("minimum", "weighed", "off"), [(0, 1200, 120), (1000, 800, 80), (1001, 1200, 0)])
def test_a_vouchers_share_follows_the_weight_and_its_minimum_what_was_ordered(
    staff, session, minimum, weighed, off
):
    roots = article(session, "Racines", 1000, sale_unit=SaleUnit.WEIGHT, step=250)
    made = order(session, {roots: 1000}, discount=Money(100))
    used(session, made, voucher(session, share=1000, minimum=Money(minimum)))
    line = made.lines[0].id
    staff.submit(f"{SCALE}/{line}", {f"poids-{line}": str(weighed)})
    found = queries.find(session, made.id)
    assert (found.taken_off, found.total) == (Money(off), Money(weighed - off))


def used(session: Session, made: Order, by: Voucher) -> None:
    session.add(VoucherUse(order_id=made.id, voucher_id=by.id))
    session.commit()


# Short


def shortage(made: Article) -> str:
    return f"{PAGE}/manque/{made.id}"


def confirm(staff: Browser, path: str, page: str, **changes: str):
    """Send the preview's form as it stands on the page."""
    form = page[page.index('method="post"') :]
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    return staff.submit(path, fields | {"reason": "Les limaces sont passées."} | changes)


def test_what_is_short_is_shared_out_and_each_is_told_once(staff, session):
    radish = article(session, "Radis", 180, sale_unit=SaleUnit.BUNCH, product="radis")
    camille = order(session, {radish: 3, article(session): 1})
    emma = order(session, {radish: 1}, email=None)
    yacine = order(session, {radish: 4}, email=YACINE, state=OrderState.PREPARED)
    session.commit()
    path = shortage(radish)
    proposal = staff.get(f"{path}?reste=5&partager=1")
    assert proposal.status_code == 200
    words = text_of(proposal)
    assert "3 commandes en attendent 8." in words and "2 commandes changent" in words
    assert "Camille Aubert B10001 Radis : 3 → 2 11,90 € 10,10 €" in words
    assert "Yacine Benali B10003 Radis : 4 → 2 7,20 € 3,60 €" in words
    for _ in range(2):
        assert confirm(staff, path, proposal.get_data(as_text=True)).status_code == 303
    assert [given(session, made) for made in (camille, emma, yacine)] == [[2, None], [None], [2]]
    assert [mail.recipient for mail in mails(session)] == [CAMILLE, YACINE]
    assert all("Les limaces sont passées." in (mail.text or "") for mail in mails(session))
    assert session.get_one(Order, yacine.id).state is OrderState.ACCEPTED, "its bag is packed again"
    assert happenings(session, camille)[-1] is Happening.SHORT
    assert happenings(session, emma) == [Happening.PLACED]


def test_two_lines_of_one_order_are_one_mail(staff, session):
    radish = article(session, "Radis", 180)
    made = order(session, {radish: 3})
    made.lines.append(OrderLine(**{name: getattr(made.lines[0], name) for name in LINE}))
    session.commit()
    page = staff.get(f"{shortage(radish)}?reste=2&partager=1").get_data(as_text=True)
    confirm(staff, shortage(radish), page)
    assert given(session, made) == [1, 1]
    assert len(mails(session)) == 1


def test_what_is_missing_is_replaced_by_something_that_costs_no_more(staff, session):
    radish = article(session, "Radis", 180)
    turnip = article(session, "Navets", 150, stock_kind=StockKind.COUNTED, stock=2)
    article(session, "Truffes", 9000)
    article(session, "Pommes", 150, sale_unit=SaleUnit.WEIGHT, step=250)
    made = order(session, {radish: 3})
    session.commit()
    path = shortage(radish)
    first = text_of(staff.get(path))
    assert "Navets, 1,50 € (il en reste 2)" in first and "Truffes" not in first and "Pommes" not in first
    page = staff.get(f"{path}?reste=1&partager=1&remplacement={turnip.id}")
    assert "Radis : 3 → 1, et à la place Navets : 2 5,40 € 4,80 €" in text_of(page)
    for _ in range(2):
        assert confirm(staff, path, page.get_data(as_text=True)).status_code == 303
    assert given(session, made) == [1, None]
    filler = session.get_one(Order, made.id).lines[1]
    assert (filler.name, filler.quantity, filler.unit_price) == ("Navets", 2, Money(150))
    assert filler.instead_of_id == session.get_one(Order, made.id).lines[0].id
    assert session.get_one(Article, turnip.id).stock == 0
    [mail] = mails(session)
    for part in (mail.text, mail.html):
        said = " ".join(
            re.sub("<[^>]+>", "", unescape(part)).replace("\u00a0", " ").replace("’", "'").split()
        )
        assert "Radis : 3 → 1, remplacé par : 2 × Navets" in said and "Navets : 0 → 2" not in said
        assert "Un remplacement ne vous convient pas ? Dites-le-nous avant la livraison" in said
    assert total(session, made) == Money(480)
    trail = session.scalars(select(AuditEvent).where(AuditEvent.action == "order_line.replace")).one()
    assert (trail.before, trail.after) == ({}, {f"article {turnip.id}": 2})

    again = staff.get(path)
    assert "change" not in text_of(again).split("Voir ce que cela change")[1], "all is as it stands"
    back = staff.get(f"{path}?reste=3&partager=1&remplacement=")
    assert confirm(staff, path, back.get_data(as_text=True)).status_code == 303
    assert given(session, made) == [None] and session.get_one(Article, turnip.id).stock == 2


def test_only_what_the_delivery_brings_and_what_is_no_alcohol_stands_in(staff, session):
    radish = article(session, "Radis", 180)
    article(session, "Moutarde", 150, allergens="moutarde")
    article(session, "Cidre", 150, alcohol=True)
    elsewhere = article(session, "Navets", 150)
    article(session, "Fraises", 150, season_first=501, season_last=531)
    made = order(session, {radish: 3})
    session.add(NotOnTour(article_id=elsewhere.id, tour_id=made.pickup_point.tour_id))
    session.commit()
    page = text_of(staff.get(shortage(radish)))
    assert "Moutarde, 1,50 €, allergènes : moutarde" in page
    assert not any(name in page for name in ("Cidre", "Navets", "Fraises"))
    radish.alcohol = True
    session.commit()
    assert "Cidre" in text_of(staff.get(shortage(radish)))


def test_a_replacement_of_which_there_is_too_little_is_refused(staff, session):
    radish = article(session, "Radis", 180)
    turnip = article(session, "Navets", 150, stock_kind=StockKind.COUNTED, stock=1)
    made = order(session, {radish: 3})
    session.commit()
    page = staff.get(f"{shortage(radish)}?reste=0&partager=1&remplacement={turnip.id}")
    answer = confirm(staff, shortage(radish), page.get_data(as_text=True))
    assert answer.status_code == 422 and "pas assez du produit de remplacement" in text_of(answer)
    assert given(session, made) == [None] and mails(session) == []


def test_who_would_get_nothing_at_all_is_refused_past_the_cutoff_too(staff, session):
    radish = article(session, "Radis", 180)
    made = order(session, {radish: 1}, email=None)
    session.commit()
    page = staff.get(f"{shortage(radish)}?reste=0&partager=1")
    assert "Il n'y reste rien : elle est refusée." in text_of(page)
    confirm(staff, shortage(radish), page.get_data(as_text=True))
    assert session.get_one(Order, made.id).state is OrderState.REFUSED
    [mail] = mails(session)
    assert mail.recipient == EMMA and "Les limaces sont passées." in (mail.text or "")


@pytest.mark.parametrize("typed", ["-1", "4", "1e1", "", "x", "9" * 30])
def test_nobody_is_given_what_is_no_quantity_or_more_than_was_ordered(staff, session, typed):
    radish = article(session, "Radis", 180)
    made = order(session, {radish: 3})
    line = f"ligne-{made.lines[0].id}"
    session.commit()
    answer = staff.submit(shortage(radish), {line: typed, "reason": "Rien."})
    assert answer.status_code == 422 and f'name="{line}" value="{typed}"' in answer.get_data(as_text=True)
    assert staff.get(shortage(radish), query_string={line: typed}).status_code == 200
    assert given(session, made) == [None] and mails(session) == []


def test_a_vouchers_share_follows_what_is_short_and_its_amount_stays(staff, session):
    radish = article(session, "Radis", 200)
    share, amount = order(session, {radish: 4}, discount=Money(80)), order(session, {radish: 4}, email=YACINE)
    used(session, share, voucher(session, share=1000, minimum=Money(800)))
    used(session, amount, voucher(session, "CINQ", amount=Money(500)))
    amount.discount = Money(500)
    session.commit()
    fields = {f"ligne-{made.lines[0].id}": "2" for made in (share, amount)}
    shown = staff.get(shortage(radish), query_string=fields)
    assert "7,20 € 3,60 €" in text_of(shown) and "3,00 € 0,00 €" in text_of(shown)
    assert confirm(staff, shortage(radish), shown.get_data(as_text=True)).status_code == 303
    assert [total(session, made) for made in (share, amount)] == [Money(360), Money(0)]


def test_what_was_weighed_above_the_order_does_not_stand_in_the_way(staff, session, carrots):
    over, other = order(session, {carrots: 500}), order(session, {carrots: 1000}, email=None)
    over.lines[0].given = 520
    session.commit()
    fields = {f"ligne-{over.lines[0].id}": "0,520", f"ligne-{other.lines[0].id}": "0,500"}
    shown = staff.get(shortage(carrots), query_string=fields)
    assert "Une commande change" in text_of(shown)
    assert confirm(staff, shortage(carrots), shown.get_data(as_text=True)).status_code == 303
    assert (given(session, over), given(session, other)) == ([520], [500])
    more = fields | {f"ligne-{over.lines[0].id}": "0,521", "reason": "Rien."}
    assert staff.submit(shortage(carrots), more).status_code == 422
    enough = staff.get(f"{shortage(carrots)}?reste=2&partager=1").get_data(as_text=True)
    confirm(staff, shortage(carrots), enough)
    assert (given(session, over), given(session, other)) == ([520], [None])


@pytest.mark.parametrize("share", [0, 1])
def test_what_is_not_there_never_comes_back(staff, session, share):
    honey = article(session, stock_kind=StockKind.COUNTED, stock=0)
    jam = article(session, "Confiture", 600, stock_kind=StockKind.COUNTED, stock=9)
    made = order(session, {honey: 3})
    session.commit()
    page = staff.get(f"{shortage(honey)}?reste={share}&partager=1&remplacement={jam.id}")
    confirm(staff, shortage(honey), page.get_data(as_text=True))
    assert (given(session, made)[0], session.get_one(Article, jam.id).stock) == (share, 6 + share)
    amending.cancel(session, made.id, made.account_id)
    session.expire_all()
    assert [session.get_one(Article, one.id).stock for one in (honey, jam)] == [share, 9]


def test_who_is_refused_for_want_of_it_gives_nothing_back(staff, session):
    honey = article(session, stock_kind=StockKind.COUNTED, stock=0)
    made = order(session, {honey: 3})
    session.commit()
    staff.submit(shortage(honey), {f"ligne-{made.lines[0].id}": "0", "reason": "Cassé."})
    session.expire_all()
    assert made.state is OrderState.REFUSED and session.get_one(Article, honey.id).stock == 0


def test_what_is_sold_by_weight_is_shared_in_its_steps(staff, session, carrots):
    made, other = order(session, {carrots: 1000}), order(session, {carrots: 500}, email=None)
    session.commit()
    page = staff.get(f"{shortage(carrots)}?reste=1,1&partager=1")
    assert "Carottes : 1 kg → 500 g" in text_of(page)
    confirm(staff, shortage(carrots), page.get_data(as_text=True))
    assert (given(session, made), given(session, other)) == ([500], [None])


def test_it_takes_the_same_number_of_statements_for_three_and_for_three_hundred(
    client, session, count_queries, carrots
):
    client.sign_in(STAFF)

    def statements() -> list[int]:
        counts = []
        for path in (SCALE, f"{shortage(carrots)}?reste=1&partager=1"):
            with count_queries() as seen:
                assert client.get(path).status_code == 200
            counts.append(len(seen))
        return counts

    def add(people: int) -> None:
        for _ in range(people):
            order(session, {carrots: 250}, email=None)
        session.commit()

    add(3)
    few = statements()
    add(297)
    assert statements() == few


def test_a_field_that_is_missing_or_sent_twice_weighs_and_shares_nothing(staff, session, carrots):
    made = order(session, {carrots: 500})
    line = made.lines[0].id
    made.lines[0].given = 480
    session.commit()
    assert staff.submit(f"{SCALE}/{line}", {}).status_code == 422
    for path, name in ((f"{SCALE}/{line}", f"poids-{line}"), (shortage(carrots), f"ligne-{line}")):
        twice = {name: ["0,1", "0,2"], "reason": "Peu."}
        assert staff.submit(path, twice).status_code == 422
    all_at_once = staff.submit(SCALE, {f"poids-{line}": ["0,1", "0,2"], f"etait-{line}": "0,480"})
    assert all_at_once.status_code == 422 and 'value="0,1 / 0,2"' in all_at_once.text
    assert given(session, made) == [480]


def test_of_what_nobody_ordered_nothing_is_short(staff, session):
    order(session, {article(session): 1}, state=OrderState.DELIVERED)
    session.commit()
    assert staff.get(f"{PAGE}/manque/1").status_code == 404
    assert staff.get(f"{PAGE}/manque/999").status_code == 404


LINE = ("article_id", "name", "sale_unit", "quantity", "unit_price", "vat_basis_points", "perishable")
