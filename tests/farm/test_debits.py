"""/ferme/prelevements: files are made and handed to the bank, what comes back is found and entered."""

import re

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from time_machine import Traveller

from portal.billing import debit_queries, payments
from portal.billing.debits import collect_due
from portal.billing.models import DebitBatch, DebitState, DirectDebit
from portal.farm import debits as debits_desk
from portal.infra.audit import AuditEvent
from tests.billing.books import invoiced
from tests.billing.debiting import DAY, IN_TIME, LATER, ON_THE_DAY, TOO_LATE, announced, bank, presented
from tests.billing.signing import IBAN, OTHER_IBAN, signed
from tests.billing.writing import customer, paid
from tests.client import Browser
from tests.farm.conftest import at_work
from tests.farm.forms import GESTURE
from tests.pages import text_of
from tests.world import ADMIN, CAMILLE, NOW, STAFF, YACINE

HOME = "/ferme/prelevements"
MAKE = f"{HOME}/{DAY}/fichier"


@pytest.fixture
def debit(session: Session) -> DirectDebit:
    """Camille's, of 38,60 €."""
    signed(session)
    bank(session)
    found = announced(session)
    session.commit()
    return found


def state(session: Session, debit: DirectDebit) -> DebitState:
    session.expire_all()
    return debit.state


def trail(session: Session) -> list[str]:
    found = select(AuditEvent.action).where(AuditEvent.action.startswith("deb")).order_by(AuditEvent.id)
    return list(session.scalars(found))


def test_a_file_is_made_downloaded_by_whoever_proves_themselves_and_handed_over(
    client: Browser, session: Session, clock: Traveller, debit: DirectDebit
) -> None:
    clock.move_to(IN_TIME)
    office = at_work(client, ADMIN)
    shown = text_of(office.get(HOME))
    assert "1 prélèvement 38,60 € Fichier à préparer jusqu'au mercredi 8 juillet" in shown
    assert office.submit(MAKE).status_code == 303
    assert "Le fichier du 10 juillet est prêt : un prélèvement, 38,60 €." in text_of(office.get(HOME))
    office.submit(MAKE)
    assert "était déjà fait" in text_of(office.get(HOME))
    [batch] = session.scalars(select(DebitBatch))
    file = f"{HOME}/fichiers/{batch.id}"
    answer = office.submit(f"{file}/telechargement")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=prelevements-2026-07-10-")
    assert IBAN in answer.text and "<CtrlSum>38.60</CtrlSum>" in answer.text
    office.submit(f"{file}/telechargement")
    clock.move_to(IN_TIME.replace(hour=12))
    office.get(HOME)
    answer = office.submit(f"{file}/telechargement", headers={"Referer": f"http://localhost{HOME}"})
    assert answer.location == f"/mon-compte/preuve?next={HOME}"
    assert office.submit(f"{file}/depot").status_code == 303
    assert state(session, debit) is DebitState.PRESENTED
    assert office.submit(f"{file}/reprise").status_code == 422
    assert trail(session) == [
        "debit_batch.make", *["debit_batch.download"] * 2, "debit_batch.present"
    ]  # fmt: skip


def test_the_page_says_who_drops_out_and_why(
    client: Browser, session: Session, clock: Traveller, debit: DirectDebit
) -> None:
    signed(session, YACINE, OTHER_IBAN)
    other = announced(session, 2000, YACINE)
    payments.pay(session, paid(1000, customer(session)), at=NOW, by=None)
    payments.pay(session, paid(2000, customer(session, YACINE)), at=NOW, by=None)
    session.commit()
    clock.move_to(IN_TIME)
    office = at_work(client, ADMIN)
    page = office.get(HOME)
    shown = text_of(page)
    assert "1 prélèvement 28,60 €" in shown
    assert "28,60 € au lieu de 38,60 € : une partie est déjà payée" in shown
    assert "20,00 € ne seront pas prélevés : déjà payés" in shown
    assert IBAN not in page.text and OTHER_IBAN not in page.text
    day = text_of(office.get(f"{HOME}/{DAY}"))
    assert "1 prélèvement, 28,60 €" in day and "0,00 €au lieu de 20,00 €" in day
    office.submit(MAKE)
    assert state(session, other) is DebitState.DROPPED
    day = text_of(office.get(f"{HOME}/{DAY}"))
    assert "•••• 0189" in day and "•••• 2606" in day and "Abandonné" in day
    assert "1 prélèvement, 28,60 €" in day


def test_what_missed_its_file_is_announced_for_another_day(
    client: Browser, session: Session, clock: Traveller, debit: DirectDebit
) -> None:
    office = at_work(client, ADMIN)
    assert "Fichier à préparer du 26 juin au 8 juillet" in text_of(office.get(HOME))
    assert "quatorze jours avant" in text_of(office.submit(MAKE))
    clock.move_to(TOO_LATE)
    office = at_work(client, ADMIN)
    assert "Il est trop tard pour ce jour" in text_of(office.submit(MAKE))
    assert office.submit(f"{HOME}/{DAY}/report").status_code == 303
    assert "Un prélèvement change de jour, un mail part." in text_of(office.get(HOME))
    office.submit(f"{HOME}/{DAY}/report")
    assert "rien n'a changé" in text_of(office.get(HOME))


def test_a_gesture_on_what_the_bank_has_is_told_truly_to_both(
    client: Browser, session: Session, clock: Traveller
) -> None:
    bank(session)
    signed(session)
    number = invoiced(session).number
    session.execute(update(DirectDebit).values(told_at=NOW))
    session.commit()
    clock.move_to(IN_TIME)
    office, bill = at_work(client, ADMIN), f"/ferme/factures/{number}"
    assert "il ne prendra que ce qui reste dû" in text_of(office.get(f"{bill}/geste"))
    office.submit(MAKE)
    assert "reprenez ce fichier et refaites-le" in text_of(office.get(f"{bill}/geste"))
    [batch] = session.scalars(select(DebitBatch))
    office.submit(f"{HOME}/fichiers/{batch.id}/depot")
    assert "déjà à la banque : il prendra 21,90 €." in text_of(office.get(f"{bill}/geste"))
    assert office.submit(f"{bill}/geste", GESTURE | {"amount": "10,00", "act": "issue"}).status_code == 303
    said = text_of(office.get(bill))
    assert "prendra 21,90 € : 10,00 € de trop resteront à son crédit." in said
    assert "21,90 € le 10 juillet, à la banque" in said
    client.sign_in(CAMILLE)
    for page in (f"/factures/{number}", "/espace", "/paiements"):
        told = text_of(client.get(page))
        assert "21,90 € seront prélevés le 10 juillet" in told, page
        assert "10,00 € de trop viendront en moins sur la prochaine facture" in told, page


@pytest.mark.parametrize("wanted", ["aub", "f2026-00001", "C10001-M1", "38,60 €", "2026-07-10"])
def test_a_debit_is_found_by_whatever_the_bank_says_of_it(
    client: Browser, session: Session, clock: Traveller, debit: DirectDebit, wanted: str
) -> None:
    clock.move_to(IN_TIME)
    presented(session)
    session.commit()
    office = at_work(client, ADMIN)
    page = office.get(HOME, query_string={"q": wanted})
    assert f'href="{HOME}/{debit.id}"' in page.text, text_of(page)
    assert "0 trouvé" in text_of(office.get(HOME, query_string={"q": "rien de tel"}))


def test_all_that_is_found_is_counted_and_shown_page_by_page(
    client: Browser, session: Session, clock: Traveller, debit: DirectDebit, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced(session, 1200)
    monkeypatch.setattr(debit_queries, "FOUND", 1)
    monkeypatch.setattr(debits_desk, "FOUND", 1)
    clock.move_to(IN_TIME)
    presented(session)
    session.commit()
    office = at_work(client, ADMIN)
    first = office.get(HOME, query_string={"q": "2026-07-10"})
    assert "2 trouvés" in text_of(first) and "Page 1 sur 2" in text_of(first)
    assert f'href="{HOME}?page=2&amp;q=2026-07-10#trouve"' in first.text
    assert f'href="{HOME}/{debit.id}"' not in first.text
    assert f'href="{HOME}/{debit.id}"' in office.get(f"{HOME}?page=2&q=2026-07-10").text


def test_a_return_is_entered_and_taken_back(
    client: Browser, session: Session, clock: Traveller, debit: DirectDebit
) -> None:
    clock.move_to(IN_TIME)
    presented(session)
    session.commit()
    clock.move_to(ON_THE_DAY)
    collect_due()
    clock.move_to(LATER)
    office, page = at_work(client, ADMIN), f"{HOME}/{debit.id}"
    assert "il n'y avait pas assez sur le compte (AM04)" in text_of(office.get(page))
    refused = office.submit(f"{page}/retour", {"code": "", "day": "2026-07-14"})
    assert refused.status_code == 422 and 'value="2026-07-14"' in refused.text
    tomorrow = office.submit(f"{page}/retour", {"code": "AM04", "day": "2026-07-16"})
    assert tomorrow.status_code == 422 and "pas encore venu" in text_of(tomorrow)
    assert office.submit(f"{page}/retour", {"code": "AM04", "day": "2026-07-14"}).status_code == 303
    shown = text_of(office.get(page))
    assert "Un mail annonce une nouvelle tentative le lundi 10 août 2026." in shown
    assert "Revenu le mardi 14 juillet 2026 : il n'y avait pas assez sur le compte (AM04)" in shown
    assert re.search(r"Pour la même facture .*F2026-00001 lundi 10 août 2026 .*Annoncé 38,60 €", shown)
    assert office.submit(f"{page}/retour/annulation").status_code == 303
    assert state(session, debit) is DebitState.COLLECTED


def test_the_page_asks_as_little_of_the_database_for_many_as_for_one(
    client: Browser, session: Session, clock: Traveller, debit: DirectDebit, count_queries
) -> None:  # type: ignore[no-untyped-def]
    office = at_work(client, STAFF)
    with count_queries() as one:
        office.get(HOME)
    for cents in range(100, 130):
        announced(session, cents)
    session.commit()
    with count_queries() as many:
        office.get(HOME)
    assert len(many) == len(one)
