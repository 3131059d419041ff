"""The worker makes each invoice's file and sends it, once, whatever befalls it; the invoice stands meanwhile."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from itertools import pairwise
from zipfile import ZipFile

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from portal.billing import files, mails, payments
from portal.billing.credits import gesture
from portal.billing.issuing import issue_for_order
from portal.billing.models import FileState, Invoice, InvoiceFile
from portal.billing.papers import invoice_pdf
from portal.billing.queries import InvoiceView, these
from portal.infra import clock as now
from portal.infra.outbox import File, Mail, files_of
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.paying import PaymentMeans
from tests.billing.books import JUNE, MAY, able_to_bill, account, invoiced
from tests.billing.signing import IBAN, signed
from tests.billing.writing import customer, paid
from tests.client import Browser
from tests.shop import making
from tests.world import CAMILLE, YACINE


def paper(_invoice: InvoiceView) -> bytes:
    return b"%PDF-made"


def work(session: Session, build: Callable[[InvoiceView], bytes] = invoice_pdf) -> bool:
    """What the worker does, once all is committed and nothing of ours is held."""
    session.commit()
    return files.make_files(build)


def state(session: Session, invoice_id: int) -> tuple[FileState, int]:
    """How far a file is, and how often it was tried."""
    session.commit()
    row = session.get_one(InvoiceFile, invoice_id)
    return row.state, row.tries


def data(session: Session, invoice_id: int) -> bytes | None:
    session.commit()
    return files.file_of(session, invoice_id)


def posted(session: Session) -> list[Mail]:
    session.commit()
    mails = list(session.scalars(select(Mail).order_by(Mail.id)))
    for mail in mails:
        session.expunge(mail)
    return mails


def enclosed_in(session: Session, mail: Mail) -> list[File]:
    session.commit()
    return files_of(mail)


def words(text: str | None) -> str:
    return " ".join((text or "").replace("\u202f", " ").replace("\u00a0", " ").split())


def test_a_file_is_made_and_its_buyer_told_once(session: Session) -> None:
    may, yacine = invoiced(session).id, invoiced(session, YACINE).id
    assert state(session, may) == (FileState.WAITING, 0)
    assert data(session, may) is None is files.e_invoice_of(session, may)
    assert work(session) is False
    assert state(session, may) == state(session, yacine) == (FileState.MADE, 1)
    made = data(session, may)
    assert made and made.startswith(b"%PDF-1.7")
    assert b"<ram:ID>F2026-00001</ram:ID>" in (files.e_invoice_of(session, may) or b"")
    mail, other = posted(session)
    assert (mail.recipient, other.recipient) == (CAMILLE, YACINE)
    assert words(mail.subject) == "Votre facture F2026-00001 pour mai 2026 : 21,90 €"
    for expected in ("Bonjour Camille,", "À régler au plus tard le jeudi 25 juin 2026", "Vous devez 21,90 €"):
        assert expected in words(mail.text)
    assert "/factures/F2026-00001" in (mail.text or "")
    enclosed = [(file.name, file.data) for file in enclosed_in(session, mail)]
    assert enclosed == [("facture-F2026-00001.pdf", made)]
    assert work(session) is False
    assert len(posted(session)) == 2


def test_the_mail_is_the_notice_of_a_debit(session: Session) -> None:
    mandate = signed(session)
    account(session).payment_means = PaymentMeans.DIRECT_DEBIT
    invoice_id = invoiced(session).id
    work(session)
    mail = posted(session)[-1]
    for expected in ("21,90 € le vendredi 10 juillet 2026", "•••• 0189", mandate.reference, "FR72ZZZ123456"):
        assert expected in words(mail.text) and expected in words(mail.html)
    assert IBAN not in (mail.text or "") + (mail.html or "")
    assert IBAN.encode() not in (data(session, invoice_id) or b"")


def test_who_is_ahead_has_nothing_to_pay(session: Session) -> None:
    first = invoiced(session, YACINE)
    payments.pay(session, paid(5000, customer(session, YACINE)), at=now.now(), by=None)
    work(session, paper)
    [mail] = posted(session)
    assert "Vous n'avez rien à payer" in words(mail.text) and "38,50 € d'avance" in words(mail.html)
    next_one = invoiced(session, YACINE, month=JUNE)
    seen = these(session, [first.id, next_one.id])
    assert [seen[each.id].ahead for each in (first, next_one)] == [Money(0), next_one.total]


def test_a_guest_and_whoever_gets_a_credit_note_are_told_where_it_is(
    session: Session, client: Browser
) -> None:
    able_to_bill(session)
    delivered = {"day": date(2026, 6, 9), "state": OrderState.DELIVERED}
    order = making.order(session, {making.article(session): 2}, email=None, **delivered)
    issue_for_order(session, order.id, by=None)
    assert isinstance(gesture(session, invoiced(session).id, Money(190), "Salade <abîmée>", by=1), Invoice)
    work(session)
    guest, _invoice, credit = posted(session)
    assert guest.recipient == "emma@example.org" and "Bonjour Emma" in (guest.text or "")
    address = next(word for word in (guest.text or "").split() if "/lien/commande/" in word)
    assert "À régler au point de retrait" in words(guest.text)
    assert words(credit.subject) == "Votre avoir A2026-00001 : 1,90 €"
    assert "Salade <abîmée>" in (credit.text or "") and "Salade &lt;abîmée&gt;" in (credit.html or "")
    assert enclosed_in(session, credit)[0].name == "avoir-A2026-00001.pdf"
    assert client.get(address).status_code == 200


def test_what_fails_is_tried_again_at_growing_intervals_then_shown_and_stops_nobody(
    session: Session, client: Browser, clock: Traveller
) -> None:
    bad, good = invoiced(session).id, invoiced(session, YACINE).id
    tried: list[datetime] = []

    def build(invoice: InvoiceView) -> bytes:
        if invoice.id == bad:
            tried.append(now.now())
            raise OSError("no fonts")
        return paper(invoice)

    for minutes in (0, 0, 1, 1, 4, 1, 14, 1, 59, 1, 500):
        clock.shift(timedelta(minutes=minutes))
        work(session, build)
    assert [(later - at) // timedelta(minutes=1) for at, later in pairwise(tried)] == [1, 5, 15, 60]
    assert (state(session, bad), state(session, good)) == ((FileState.FAILED, 5), (FileState.MADE, 1))
    assert [(row.id, row.number) for row in files.failed_files(session)] == [(bad, "F2026-00001")]
    assert [mail.recipient for mail in posted(session)] == [YACINE]
    assert files.try_again(session, now.now()) == 1
    session.commit()
    client.sign_in(CAMILLE)
    assert "F2026-00001" in client.get("/factures/F2026-00001").text
    work(session, paper)
    assert data(session, bad) == b"%PDF-made" and len(posted(session)) == 2
    assert files.failed_files(session) == []


def test_what_one_worker_makes_no_other_does_unless_the_first_hangs(
    session: Session, clock: Traveller
) -> None:
    invoice_id = invoiced(session).id

    def slow(_invoice: InvoiceView) -> bytes:
        work(session, paper)
        assert data(session, invoice_id) is None
        clock.shift(files.LEASE)
        work(session, paper)
        return b"%PDF-late"

    work(session, slow)
    assert (data(session, invoice_id), state(session, invoice_id)) == (b"%PDF-made", (FileState.MADE, 2))
    assert len(posted(session)) == 1


def test_whatever_takes_its_worker_with_it_is_given_up(session: Session, clock: Traveller) -> None:
    bad, good = invoiced(session).id, invoiced(session, YACINE).id

    def deadly(invoice: InvoiceView) -> bytes:
        if invoice.id == bad:
            raise SystemExit
        return paper(invoice)

    for _ in range(2 + len(files.PAUSES)):
        with suppress(SystemExit):
            work(session, deadly)
        clock.shift(files.LEASE)
    assert (state(session, bad), state(session, good)) == ((FileState.FAILED, 5), (FileState.MADE, 1))


def test_a_file_and_its_mail_are_kept_together_or_not_at_all(
    session: Session, clock: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice_id = invoiced(session).id
    with monkeypatch.context() as broken:
        broken.setattr(mails, "tell", lambda *_, **__: 1 / 0)
        work(session, paper)
    assert data(session, invoice_id) is None and posted(session) == []
    clock.shift(timedelta(minutes=1))
    work(session, paper)
    assert data(session, invoice_id) and len(posted(session)) == 1


def test_a_year_s_files_come_as_one(session: Session) -> None:
    for email, month in ((CAMILLE, MAY), (YACINE, MAY), (CAMILLE, JUNE)):
        invoiced(session, email, month=month)
    work(session, paper)
    mine = account(session).id
    with files.yearly_zip(session, mine, 2026) as poured, ZipFile(poured) as zipped:
        assert zipped.namelist() == ["facture-F2026-00001.pdf", "facture-F2026-00003.pdf"]
        assert zipped.read("facture-F2026-00003.pdf") == b"%PDF-made"
    late = session.scalars(select(InvoiceFile).order_by(InvoiceFile.invoice_id.desc())).first()
    assert late
    late.state, late.data = FileState.WAITING, None
    session.flush()
    with files.yearly_zip(session, mine, 2026) as poured, ZipFile(poured) as zipped:
        assert zipped.namelist() == ["facture-F2026-00001.pdf", "LISEZ-MOI.txt"]
        assert "F2026-00003" in zipped.read("LISEZ-MOI.txt").decode()
    with files.yearly_zip(session, mine, 2027) as poured, ZipFile(poured) as zipped:
        assert zipped.namelist() == []
