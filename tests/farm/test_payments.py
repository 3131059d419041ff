"""/ferme/reglements: what is paid is found, entered singly or as a pile, taken back; the books are closed."""

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.billing.balances import books_of_customer
from portal.billing.customers import customer_of_order
from portal.billing.models import EntryKind, LedgerEntry
from portal.billing.payments import pay
from portal.infra.outbox import Mail
from portal.rules.money import Money
from portal.rules.orders import OrderState
from tests.billing.signing import signed
from tests.billing.writing import customer, paid, written
from tests.farm.forms import PAYMENT
from tests.farm.trail import events
from tests.pages import text_of
from tests.shop.making import article, order
from tests.world import CAMILLE, NOW, TODAY, YACINE

LIST, ADD, PILE, BOOKS = (f"/ferme/reglements{rest}" for rest in ("", "/ajout", "/pile", "/journal"))


def receipts(session: Session) -> list[Mail]:
    told = select(Mail).where(Mail.subject.startswith("Bien reçu")).order_by(Mail.id)
    return list(session.scalars(told))


def plain(text: str) -> str:
    return text.replace("\xa0", " ").replace("\u202f", " ")


def entries(session: Session) -> list[LedgerEntry]:
    session.expire_all()
    return list(session.scalars(select(LedgerEntry).order_by(LedgerEntry.number)))


def balance(session: Session, email: str = CAMILLE) -> int:
    return books_of_customer(session, customer(session, email).id).balance.cents


def test_somebody_is_found_and_what_they_pay_is_entered_once(staff, session):
    written(session, 3860)
    session.commit()
    assert "Camille Aubert C10001, camille@example.orgDoit 38,60 €" in text_of(staff.get(f"{ADD}?q=aub"))
    assert "Personne ne correspond" in text_of(staff.get(f"{ADD}?q=zorro"))
    for who in ("C10001", "10001", "f2026-1"):
        page = staff.get(f"{ADD}?q={who}")
        assert (
            "Camille Aubert C10001 Doit 38,60 € F2026-00001 : 38,60 €, échéance le mercredi 10 juin 2026"
            in text_of(page)
        )
        assert 'value="38,60"' in page.text
    for _ in range(2):
        assert staff.submit(ADD, PAYMENT).location == "/ferme/reglements#ecriture-2"
    shown = text_of(staff.get(LIST))
    assert "38,60 € de Camille Aubert : c'est noté. Son compte est à jour." in shown
    assert "1 écriture, 38,60 € Dans l'ordre où elles ont été notées" in shown
    assert "Camille Aubert C10001 38,60 € mercredi 10 juin 2026 · chèque · 0012345" in shown
    [_invoice, entry] = entries(session)
    assert (entry.entered_by, balance(session)) == (3, 0)
    assert [(event.action, event.account_id) for event in events(session)] == [("ledger.payment", 3)]
    [mail] = receipts(session)
    assert mail.recipient == CAMILLE and "38,60 € par chèque le 10 juin." in plain(mail.text)
    assert "Vous êtes à jour." in plain(mail.text)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"amount": "0"}, "Montant en euros : un nombre comme 2,5"),
        ({"amount": "1e3"}, "Montant en euros : un nombre comme 2,5"),
        ({"amount": "-1"}, "Montant en euros : un nombre comme 2,5"),
        ({"amount": ["1", "2"]}, "Montant en euros : envoyez ce champ une fois."),
        ({"means": "direct_debit"}, "Moyen : choisissez dans la liste."),
        ({"day": "2026-06-11"}, "Jour : ce jour n'est pas encore venu."),
        ({"day": "10/06/2026"}, "Jour : une date, comme 2026-06-01."),
        ({"reference": "x" * 41}, "40 caractères au plus"),
    ],
)
def test_what_cannot_be_entered_is_refused_beside_its_field(desk, session, change, says):
    answer = desk.submit(ADD, PAYMENT | change)
    assert (answer.status_code, entries(session)) == (422, [])
    assert says in text_of(answer)
    assert "C10001" in answer.text
    assert desk.submit(ADD, PAYMENT | {"de": "C19999"}).status_code == 404


def test_a_form_that_was_used_says_so_and_pressed_again_enters_what_it_says_now(desk, session):
    desk.submit(ADD, PAYMENT)
    answer = desk.submit(ADD, PAYMENT | {"amount": "12"})
    assert (answer.status_code, len(entries(session))) == (422, 1)
    assert "ce formulaire a déjà noté un autre montant" in text_of(answer)
    assert 'value="k1"' not in answer.text
    assert "12,00 € de Camille Aubert : c'est noté. 50,60 € d'avance" in text_of(
        desk.get(desk.submit(ADD, PAYMENT | {"amount": "12", "key": "k2"}).location)
    )


def test_payments_are_narrowed_by_person_means_days_and_reference(staff, session, count_queries):
    camille, yacine = customer(session), customer(session, YACINE)
    pay(session, paid(2000, camille, day=date(2026, 6, 1)), at=NOW, by=None)
    pay(session, paid(3000, yacine), at=NOW, by=None)
    session.commit()
    for asked, names in (
        ("", ["Yacine", "Camille"]),
        ("?q=aub", ["Camille"]),
        ("?q=C10002", ["Yacine"]),
        ("?q=0012345", ["Yacine", "Camille"]),
        ("?moyen=cash", []),
        ("?au=2026-06-09", ["Camille"]),
        ("?du=2026-06-02&moyen=cheque", ["Yacine"]),
        ("?du=hier&moyen=or&page=0", ["Yacine", "Camille"]),
    ):
        shown = staff.get(LIST + asked).text
        found = [name for name in ("Yacine", "Camille") if f">{name} " in shown]
        assert (asked, found) == (asked, names)
    with count_queries() as few:
        staff.get(LIST)
    for _ in range(5):
        pay(session, paid(100, camille), at=NOW, by=None)
    session.commit()
    with count_queries() as many:
        staff.get(LIST)
    assert len(few) == len(many)


def test_a_payment_is_taken_back_with_a_reason(staff, session):
    pay(session, paid(2000, customer(session)), at=NOW, by=3)
    session.commit()
    address = f"{LIST}/1"
    assert "Chèque" not in text_of(staff.get(address))
    refused = staff.submit(f"{address}/annulation", {"day": "2026-06-10", "reason": ""})
    assert (refused.status_code, "Pourquoi ? : à remplir." in text_of(refused)) == (422, False)
    for _ in range(2):
        sent = {"day": "2026-06-10", "reason": "Chèque sans provision."}
        assert staff.submit(f"{address}/annulation", sent).location == address
    assert [entry.kind for entry in entries(session)] == [EntryKind.PAYMENT, EntryKind.REVERSAL]
    assert "Annulé par l'écriture 2." in text_of(staff.get(address))
    assert "PourquoiChèque sans provision." in text_of(staff.get(f"{LIST}/2"))
    assert staff.get(f"{LIST}/9").status_code == 404


def test_the_account_of_somebody_shows_all_and_gives_back_or_gives_up(staff, session):
    written(session, 3000, due=date(2026, 6, 1))
    session.commit()
    account = f"{LIST}/compte/C10001"
    shown = text_of(staff.get(account))
    assert "Camille Aubert Doit 30,00 € C10001" in shown
    assert (
        "F2026-00001 30,00 € mercredi 10 juin 2026 · en retard, 30,00 € à payer depuis le lundi 1er juin 2026"
        in shown
    )
    assert "Rembourser" not in shown
    given_up = {
        "abandon-key": "a",
        "abandon-amount": "31",
        "abandon-day": "2026-06-10",
        "abandon-reason": "Parti.",
    }
    assert "cette personne ne doit pas tant." in text_of(staff.submit(f"{account}/abandon", given_up))
    assert staff.submit(f"{account}/abandon", given_up | {"abandon-amount": "5"}).location == account
    said = "5,00 € ne sont plus demandés à Camille Aubert. Reste à payer :"
    assert said in text_of(staff.get(account))
    pay(session, paid(3500, customer(session)), at=NOW, by=None)
    session.commit()
    assert "A 10,00 € d'avance" in text_of(staff.get(account))
    given = {
        "key": "b",
        "amount": "11",
        "day": "2026-06-10",
        "means": "transfer",
        "reference": "",
        "reason": "Départ.",
    }
    given = {f"rendu-{name}": value for name, value in given.items()}
    assert "cette personne n'a pas tant d'avance." in text_of(staff.submit(f"{account}/remboursement", given))
    assert staff.submit(f"{account}/remboursement", given | {"rendu-amount": "10"}).location == account
    assert "10,00 € rendus à Camille Aubert. Son compte est à jour." in text_of(staff.get(account))
    assert balance(session) == 0
    assert "Compte À jour" not in text_of(staff.get("/ferme/abonnes/1"))
    assert "Factures et règlements À jour" in text_of(staff.get("/ferme/abonnes/1"))


def test_a_guest_pays_for_their_order_at_the_point(desk, session):
    placed = order(session, {article(session): 1}, email=None, state=OrderState.DELIVERED)
    written(session, 650, to=customer_of_order(session, placed.id))
    session.commit()
    number = placed.number
    assert f"{ADD}?de={number}" in desk.get(f"/ferme/commandes/{placed.id}").text
    desk.submit(ADD, PAYMENT | {"de": number, "amount": "6,50", "means": "cash", "reference": ""})
    shown = text_of(desk.get(f"{LIST}/compte/{number}"))
    assert f"Emma Roux À jour {number}" in shown
    assert "F2026-00001 6,50 € mercredi 10 juin 2026 · payée" in shown


def pile(*rows: tuple[str, str, str], **changes: str) -> dict:
    columns = dict(zip(("qui", "montant", "reference"), map(list, zip(*rows, strict=True)), strict=True))
    return {"key": "p1", "means": "cheque", "day": "2026-06-10", "total": ""} | columns | changes


def test_a_pile_is_entered_as_one_and_once(staff, session):
    written(session, 2000, to=customer(session, YACINE))
    session.commit()
    assert "Somme des lignes : 0,00 €" in text_of(staff.get(PILE))
    sent = pile(("aubert Camille", "20", "001"), ("", "", ""), ("F2026-00001", "30,50", "002"), total="50,50")
    seen = staff.submit(PILE, sent | {"lignes": "oui"})
    assert seen.status_code == 200
    assert "Camille Aubert" in text_of(seen) and "Yacine Benali Doit 20,00 €" in text_of(seen)
    assert "Somme des lignes : 50,50 €" in text_of(seen)
    assert seen.text.count('name="qui"') == 8
    for _ in range(2):
        assert staff.submit(PILE, sent).location == LIST
    assert "2 règlements sont notés. Ensemble : 50,50 €." in text_of(staff.get(LIST))
    assert [(entry.number, entry.amount, entry.reference) for entry in entries(session)[1:]] == [
        (2, Money(-2000), "001"),
        (3, Money(-3050), "002"),
    ]
    assert (balance(session), balance(session, YACINE)) == (-2000, -1050)
    assert [(mail.recipient, plain(mail.subject)) for mail in receipts(session)] == [
        (CAMILLE, "Bien reçu : 20,00 €"),
        (YACINE, "Bien reçu : 30,50 €"),
    ]


def test_of_a_pile_with_something_wrong_nothing_is_entered_and_all_is_kept(staff, session):
    answer = staff.submit(
        PILE, pile(("C10001", "20", "001"), ("C19999", "un peu", "x" * 41), ("", "5", ""), ("C10002", "", ""))
    )
    shown = text_of(answer)
    assert (answer.status_code, entries(session)) == (422, [])
    assert "Rien n'est encore noté" in shown
    for said in (
        "Ligne 2 : personne n'a ce numéro, ni seul·e ce nom.",
        "Ligne 2 : un nombre comme 2,5",
        "Ligne 2 : 40 caractères au plus",
        "Ligne 3 : à qui est-ce ?",
        "Ligne 4 : à remplir.",
    ):
        assert said in shown
    assert 'value="un peu"' in answer.text and 'value="001"' in answer.text
    differs = staff.submit(PILE, pile(("C10001", "20", ""), total="21"))
    assert (differs.status_code, entries(session)) == (422, [])
    assert "les lignes font 20,00 € : l'un des deux se trompe." in text_of(differs)
    assert "notez au moins une ligne." in text_of(staff.submit(PILE, pile(("", "", ""))))
    assert "pas encore venu" in text_of(staff.submit(PILE, pile(("C10001", "20", ""), day="2026-06-11")))


def test_a_month_is_closed_and_nothing_is_entered_into_it(staff, session):
    pay(session, paid(2000, customer(session), day=date(2026, 5, 31)), at=NOW, by=None)
    session.commit()
    page = staff.get(BOOKS)
    assert "Aucun mois n'est clos." in text_of(page) and f'action="{BOOKS}/cloture"' not in page.text
    assert "Oui, clore mai 2026" in text_of(staff.get(f"{BOOKS}?clore=oui"))
    assert staff.submit(f"{BOOKS}/cloture", {"mois": "2026-06"}).status_code == 422
    assert staff.submit(f"{BOOKS}/cloture", {"mois": "mai"}).status_code == 422
    for _ in range(2):
        assert staff.submit(f"{BOOKS}/cloture", {"mois": "2026-05"}).location == BOOKS
    shown = text_of(staff.get(f"{BOOKS}?verifier=oui"))
    assert "Le journal est intact : 0 écriture." in shown and "Vérifier depuis la dernière clôture" in shown
    assert "On peut noter à partir du lundi 1er juin 2026." in shown
    assert "mai 20260,00 €20,00 €0,00 €0,00 €" in shown
    refused = staff.submit(ADD, PAYMENT | {"day": "2026-05-31"})
    assert "Jour : ce mois est clos : au plus tôt le lundi 1er juin 2026." in text_of(refused)
    taken = staff.submit(f"{BOOKS}/export?annee=2026", {"format": "csv"})
    assert taken.data.decode("utf-8-sig").splitlines()[1].startswith("1;31/05/2026;règlement;C10001;;chèque;")
    assert TODAY.year == 2026


def test_what_was_billed_before_a_mandate_can_be_collected(office, session):
    written(session, 3860)
    signed(session)
    session.commit()
    account = f"{LIST}/compte/C10001"
    assert "ce qui est ouvert, 38,60 €, peut être prélevé le vendredi 10 juillet" in text_of(
        office.get(account)
    )
    for _press in range(2):
        assert office.submit(f"{account}/prelevement").location == account
    assert "Prélever ce qui est ouvert" not in text_of(office.get(account))
    assert office.submit(f"{LIST}/compte/C10009/prelevement").status_code == 404
