"""/ferme/bons: vouchers are issued, seen to be used, withdrawn and brought back."""

import re
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.rules.money import Money
from portal.shop.issuing import LETTERS
from portal.shop.models import Voucher, VoucherUse
from tests.farm.forms import VOUCHER
from tests.farm.trail import events
from tests.pages import text_of
from tests.shop.making import article, order
from tests.world import NOW

LIST, ADD = "/ferme/bons", "/ferme/bons/ajout"


def vouchers(session: Session) -> list[Voucher]:
    session.expire_all()
    return list(session.scalars(select(Voucher).order_by(Voucher.id)))


def test_a_voucher_of_an_amount_is_issued(staff, session):
    assert "Pas encore de bon d'achat" in text_of(staff.get(LIST))
    assert staff.submit(ADD, VOUCHER).status_code == 303
    [made] = vouchers(session)
    assert (made.code, made.amount, made.share, made.minimum) == ("MERCI-JUIN", Money(500), None, Money(2000))
    assert (made.first_day, made.last_day) == (date(2026, 6, 10), date(2026, 7, 10))
    assert (made.uses, made.per_person, made.note) == (100, 1, "Pour la fête.")
    [event] = events(session)
    assert (event.action, event.account_id) == ("voucher.create", 3)
    assert event.after == {"code": "MERCI-JUIN", "amount": 500, "share": None, "last_day": "2026-07-10"}
    shown = text_of(staff.get(LIST))
    assert "MERCI-JUIN 5,00 € En cours" in shown
    assert "à partir de 20,00 € utilisé 0 fois sur 100, 1 fois par personne Pour la fête." in shown


def test_a_voucher_of_a_share_is_issued_and_what_was_typed_for_an_amount_is_left_out(desk, session):
    bare = {"minimum": "", "uses": "", "per_person": "", "note": ""}
    desk.submit(ADD, VOUCHER | bare | {"kind": "share", "share": "7,5"})
    [made] = vouchers(session)
    assert (made.amount, made.share, made.minimum) == (None, 750, Money(0))
    assert (made.uses, made.per_person, made.note) == (None, None, None)
    assert "MERCI-JUIN 7,5 % En cours" in text_of(desk.get(LIST))


def test_the_proposed_code_is_hard_to_guess_and_easy_to_read(desk):
    codes = {re.search(r'name="code"[^>]* value="([^"]+)"', desk.get(ADD).text)[1] for _ in range(20)}
    assert len(codes) == 20
    assert all(re.fullmatch(f"[{LETTERS}]{{4}}-[{LETTERS}]{{4}}", code) for code in codes)
    assert not set("ILOQSZ") & set(LETTERS) and len(LETTERS) ** 8 > 2**34


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"code": ""}, "Code : à remplir."),
        ({"code": "été"}, "Code : de 4 à 40 lettres sans accent, chiffres et tirets."),
        ({"code": "x" * 41}, "Code : de 4 à 40 lettres sans accent, chiffres et tirets."),
        ({"code": "' OR 1=1"}, "Code : de 4 à 40 lettres sans accent, chiffres et tirets."),
        ({"kind": "gift"}, "Il enlève : choisissez dans la liste."),
        ({"amount": ""}, "Montant en euros : à remplir."),
        ({"amount": "0"}, "Montant en euros : un nombre comme 2,5, de 0,01 à 9 999,99."),
        ({"amount": "-5"}, "Montant en euros : un nombre comme 2,5, de 0,01 à 9 999,99."),
        ({"kind": "share"}, "Part en pour cent : à remplir."),
        ({"kind": "share", "share": "101"}, "Part en pour cent : un nombre comme 2,5, de 0,01 à 100."),
        ({"last_day": "2026-06-09"}, "Dernier jour : le premier jour ou plus tard."),
        ({"uses": "0"}, "Utilisations en tout : un nombre entier, de 1 à 1 000 000."),
        ({"minimum": "1e3"}, "À partir d'une commande de : un nombre comme 2,5, de 0 à 9 999,99."),
    ],
)
def test_what_is_no_voucher_is_refused_by_name(desk, session, change, says):
    answer = desk.submit(ADD, VOUCHER | change)
    assert answer.status_code == 422 and text_of(answer).count(says) == 2
    assert vouchers(session) == [] == events(session)


def test_a_code_is_given_once_however_it_is_typed(desk, session):
    desk.submit(ADD, VOUCHER)
    answer = desk.submit(ADD, VOUCHER | {"code": " Merci-JUIN "})
    assert answer.status_code == 422 and "Code : un autre bon porte ce code." in text_of(answer)
    assert len(vouchers(session)) == len(events(session)) == 1


def test_a_missing_field_is_refused(desk, session):
    for field in VOUCHER:
        assert desk.submit(ADD, {k: v for k, v in VOUCHER.items() if k != field}).status_code == 422, field
    assert vouchers(session) == []


def test_a_voucher_is_withdrawn_and_brought_back(staff, session):
    staff.submit(ADD, VOUCHER)
    for path, withdrawn in (("retrait", True), ("retrait", True), ("retour", False), ("retour", False)):
        assert staff.submit(f"{LIST}/1/{path}").status_code == 303
        assert (vouchers(session)[0].withdrawn_at is not None) == withdrawn
        assert ("Retiré" in text_of(staff.get(LIST)).replace("Retirer", "")) == withdrawn
    assert [event.action for event in events(session)] == ["voucher.create"] + ["voucher.change"] * 2


def test_the_list_says_how_often_each_was_used_and_what_is_over(desk, session, count_queries):
    for n, (first, last, uses) in enumerate(
        [
            ("2026-06-01", "2026-06-30", "1"),
            ("2026-05-01", "2026-06-09", ""),
            ("2026-06-11", "2026-06-30", ""),
        ]
    ):
        period = {"first_day": first, "last_day": last, "uses": uses}
        desk.submit(ADD, VOUCHER | period | {"code": f"CODE{n}", "minimum": "", "per_person": "", "note": ""})
    used = order(session, {article(session): 2}, at=NOW)
    session.add(VoucherUse(order_id=used.id, voucher_id=1))
    session.commit()
    with count_queries() as statements:
        shown = text_of(desk.get(LIST))
    assert "CODE0 5,00 € Épuisé du lundi 1er juin 2026 au mardi 30 juin 2026 utilisé 1 fois sur 1" in shown
    assert "CODE1 5,00 € Expiré" in shown and "CODE2 5,00 € À venir" in shown
    assert len(statements) <= 5


@pytest.mark.parametrize("key", ["0", "-1", "99", f"{2**63}", "%00", "x"])
def test_a_voucher_that_does_not_exist_is_not_found(desk, key):
    for path in ("retrait", "retour"):
        assert desk.submit(f"{LIST}/{key}/{path}").status_code == 404
