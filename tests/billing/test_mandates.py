"""One live mandate an account, kept when it is over; its number sealed."""

import subprocess
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from time_machine import Traveller

from portal.accounts.models import Account
from portal.billing import mandates
from portal.billing.mandate_paper import Creditor
from portal.billing.mandates import end, end_unused, live_mandate, mandates_of
from portal.billing.models import DebitState, Mandate
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Attachment, Mail
from portal.rules.paying import PaymentMeans
from portal.rules.sepa import BankAccount, MandateEnd, read_account
from tests.billing.debiting import announced
from tests.billing.signing import AT_HOME, IBAN, ICS, OTHER_IBAN, collecting, signed
from tests.world import CAMILLE, NOW, YACINE


def account(session: Session, email: str = CAMILLE) -> Account:
    return session.scalars(select(Account).where(Account.email == email)).one()


def subjects(session: Session) -> list[str]:
    return list(session.scalars(select(Mail.subject).order_by(Mail.id)))


def read(data: bytes) -> str:
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=data, capture_output=True, check=True)
    return " ".join(done.stdout.decode().replace("\u202f", " ").replace("\u00a0", " ").split())


def test_who_signs_is_debited_from_then_on_and_has_the_mandate_by_mail(session: Session) -> None:
    mandate = signed(session)
    camille = account(session)
    assert mandate == live_mandate(session, camille.id)
    assert (mandate.reference, mandate.last_four, mandate.bic, mandate.bank) == (
        f"{camille.customer_number}-M1",
        "0189",
        "AGRIFRPPXXX",
        "CREDIT AGRICOLE SA",
    )
    assert camille.payment_means is PaymentMeans.DIRECT_DEBIT
    assert session.scalars(select(Mandate)).one().iban == IBAN.encode()
    [mail] = session.scalars(select(Mail))
    assert (mail.recipient, mail.subject) == (CAMILLE, "Votre mandat de prélèvement")
    assert session.scalars(select(Attachment.name)).all() == [f"mandat-{mandate.reference}.pdf"]
    paper = mandates.paper(session, camille.id, mandate.id)
    assert paper and mandates.paper(session, account(session, YACINE).id, mandate.id) is None
    said = read(paper.data)
    for words in (
        "Mandat de prélèvement SEPA",
        mandate.reference,
        "Les Jardins du Test",
        "12 chemin des Canaux",
        ICS,
        "Camille Aubert",
        "3 rue des Lilas",
        "05700 Serres",
        "se termine par 0189",
        "récurrent",
        "10 juin 2026",
        "dans les 8 semaines suivant la date de débit",
        "autorisez (A) Les Jardins du Test",
    ):
        assert words in said
    trail = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert trail == ["mandate.sign", "account.change"]


def test_another_account_s_mandate_ends_the_one_before_which_is_kept(session: Session) -> None:
    first = signed(session)
    second = signed(session, iban=OTHER_IBAN, at=NOW + timedelta(days=1))
    camille = account(session)
    assert live_mandate(session, camille.id) == second
    assert second.reference == f"{camille.customer_number}-M2"
    [newer, older] = mandates_of(session, camille.id)
    assert (newer, older.id, older.end) == (second, first.id, MandateEnd.REPLACED)
    assert mandates.paper(session, camille.id, first.id)
    assert subjects(session)[-1] == "Vos coordonnées bancaires ont changé"


def test_signing_the_same_again_changes_nothing(session: Session) -> None:
    assert signed(session) == signed(session, at=NOW + timedelta(hours=1))
    assert len(subjects(session)) == 1


def test_nobody_signs_where_the_farm_has_no_creditor_number(session: Session) -> None:
    signed(session)
    settings = collecting(session)
    assert mandates.creditor(session) == Creditor(
        "Les Jardins du Test", ICS, "12 chemin des Canaux", "05700", "Serres"
    )
    settings.creditor_name = "SCEA du Test"
    session.flush()
    found = mandates.creditor(session)
    assert found and found.name == "SCEA du Test"
    settings.creditor_id = None
    session.flush()
    assert mandates.creditor(session) is None
    camille, bank = account(session), read_account(OTHER_IBAN)
    assert isinstance(bank, BankAccount)
    assert mandates.sign(session, camille, bank, AT_HOME, at=NOW, by=camille.id) is None


def test_who_ends_it_is_told_and_pays_otherwise(session: Session) -> None:
    signed(session)
    camille = account(session)
    assert end(session, camille, MandateEnd.REVOKED, at=NOW, by=camille.id, means=PaymentMeans.CHEQUE)
    assert live_mandate(session, camille.id) is None
    assert camille.payment_means is PaymentMeans.CHEQUE
    mail = session.scalars(select(Mail).order_by(Mail.id.desc())).first()
    assert mail and mail.subject == "Votre mandat de prélèvement a pris fin"
    assert "chèque" in (mail.text or "") and "0189" in (mail.text or "")
    assert not end(session, camille, MandateEnd.REVOKED, at=NOW, by=camille.id)
    assert len(subjects(session)) == 2


def test_what_is_announced_follows_to_another_account_and_falls_with_the_last_mandate(
    session: Session,
) -> None:
    signed(session)
    debit = announced(session)
    second = signed(session, iban=OTHER_IBAN)
    [*_, mail] = session.scalars(select(Mail).order_by(Mail.id))
    told = mail.text.replace("\u202f", " ").replace("\u00a0", " ")
    assert "sera prélevé sur ce compte aussi" in told and "10 juillet, facture F2026-00001" in told
    session.refresh(debit)
    assert (debit.mandate_id, debit.state) == (second.id, DebitState.ANNOUNCED)
    camille = account(session)
    end(session, camille, MandateEnd.REVOKED, at=NOW, by=camille.id, means=PaymentMeans.TRANSFER)
    session.refresh(debit)
    assert debit.state is DebitState.DROPPED


def test_what_is_not_used_for_36_months_is_over(session: Session, clock: Traveller) -> None:
    signed(session)
    used = signed(session, YACINE, OTHER_IBAN, debtor=AT_HOME)
    session.get_one(Mandate, used.id).used_on = date(2026, 7, 15)
    session.commit()
    clock.move_to(NOW.replace(year=2029) - timedelta(hours=11))  # the evening before
    assert not end_unused()
    assert live_mandate(session, account(session).id)
    session.rollback()
    clock.move_to(NOW.replace(year=2029))
    assert not end_unused()
    assert not end_unused()
    [gone] = mandates_of(session, account(session).id)
    assert gone.end is MandateEnd.UNUSED
    assert subjects(session)[2:] == ["Votre mandat de prélèvement a pris fin"]
    assert live_mandate(session, account(session, YACINE).id)
    session.rollback()
    clock.move_to(NOW.replace(year=2029, month=7, day=15))
    end_unused()
    assert live_mandate(session, account(session, YACINE).id) is None
