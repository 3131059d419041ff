"""Reminders of what is due: a step once for an invoice, in the farm's own words, to whoever owes it at this instant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from babel.lists import format_list
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.billing import ledger
from portal.billing.debts import Debt, debts
from portal.billing.models import PaymentReminder, ReminderStep
from portal.billing.settings import billing_settings
from portal.infra import audit, clock, locks, mail, outbox
from portal.infra.orm import insert, own_reading, own_transaction
from portal.profile.queries import Farm, get_farm
from portal.rules.cutoffs import local_day
from portal.rules.dunning import is_time, next_steps
from portal.rules.letters import fill
from portal.shop.tokens import order_link
from portal.web.filters import day_year, money
from portal.web.i18n import language
from portal.web.i18n import lazy_gettext as _l

AT_ONCE = 25
MOST_STEPS = 5


class Slot(StrEnum):
    """What the farm's words may name."""

    FIRST_NAME = "prenom"
    NUMBER = "numero"
    AMOUNT = "montant"
    DUE = "echeance"
    LINK = "lien"

    @property
    def written(self) -> str:
        return f"{{{{{self}}}}}"


@dataclass(frozen=True, slots=True)
class Step:
    """How many days after the due day, and what is said then."""

    days: int
    subject: str
    text: str


_USUAL = (
    (
        7,
        _l("Un oubli ? {{montant}} à régler"),
        _l(
            "Bonjour {{prenom}},\n\n"
            "Il nous semble que {{montant}} restent à régler depuis le {{echeance}} : {{numero}}. "
            "C'est sans doute un oubli.\n\n"
            "Le détail, et toutes les façons de payer :\n{{lien}}\n\n"
            "Si c'est déjà fait, merci, et oubliez ce message."
        ),
    ),
    (
        21,
        _l("Toujours à régler : {{montant}}"),
        _l(
            "Bonjour {{prenom}},\n\n"
            "Malgré notre premier message, {{montant}} restent à régler depuis le {{echeance}} : {{numero}}. "
            "Merci de le faire cette semaine, ou de nous dire ce qui coince.\n\n"
            "Le détail, et toutes les façons de payer :\n{{lien}}"
        ),
    ),
    (
        45,
        _l("Parlons de votre facture : {{montant}}"),
        _l(
            "Bonjour {{prenom}},\n\n"
            "{{montant}} restent à régler depuis le {{echeance}} : {{numero}}. "
            "Nous vous demandons de payer maintenant, ou de nous appeler : "
            "nous trouverons ensemble comment faire.\n\n"
            "Le détail, et toutes les façons de payer :\n{{lien}}"
        ),
    ),
)


def steps(session: Session) -> list[Step]:
    """The farm's own, else the usual ones."""
    rows = session.scalars(select(ReminderStep).order_by(ReminderStep.position)).all()
    own = [Step(row.days, row.subject, row.text) for row in rows]
    return own or [Step(days, str(subject), str(text)) for days, subject, text in _USUAL]


def save_steps(session: Session, wanted: Sequence[Step], *, at: datetime, by: int) -> None:
    known = steps(session)
    if list(wanted) == known:
        return
    locks.named(session, ReminderStep.__tablename__)
    session.execute(delete(ReminderStep))
    session.add_all(
        ReminderStep(position=position, days=step.days, subject=step.subject, text=step.text)
        for position, step in enumerate(wanted, 1)
    )
    audit.record(
        session,
        "payment_reminder_step.save",
        ("payment_reminder_step", "all"),
        at=at,
        by=by,
        before={"days": [step.days for step in known]},
        after={"days": [step.days for step in wanted]},
    )


@dataclass(frozen=True, slots=True)
class DueReminder:
    """Somebody who is to be reminded now: by invoice the step; the mail speaks as the furthest of them."""

    debt: Debt
    steps: Mapping[int, int]

    @property
    def position(self) -> int:
        return max(self.steps.values())


def due_reminders(session: Session, found: Sequence[Debt], today: date) -> list[DueReminder]:
    """Of these debts, who is to be reminded: nobody twice in some days, nobody who cannot be written to."""
    days = [step.days for step in steps(session)]
    reminders = []
    for debt in found:
        at = next_steps(
            [invoice.for_rules for invoice in debt.invoices], days, last=debt.last_reminder, today=today
        )
        if at and outbox.can_send_to(debt.contact.email):
            reminders.append(DueReminder(debt, at))
    return reminders


def write(reminder: DueReminder, said: Sequence[Step], farm: Farm, cheques_to: str | None) -> mail.Rendered:
    """The mail; whatever step it is, it tells how to pay and whom to call."""
    debt, step = reminder.debt, said[reminder.position - 1]
    account = debt.order_id is None
    page = mail.link("member.payments") if account else order_link(debt.order_id or 0, None)
    values = {
        Slot.FIRST_NAME: debt.contact.first_name,
        Slot.NUMBER: format_list([invoice.number for invoice in debt.invoices], locale=language()),
        Slot.AMOUNT: money(debt.amount),
        Slot.DUE: day_year(debt.since),
        Slot.LINK: page,
    }
    return mail.render(
        "payment_reminder",
        farm=farm,
        subject=fill(step.subject, values),
        text=fill(step.text, values),
        debt=debt,
        page=page,
        cheques_to=cheques_to,
    )


def send(session: Session, wanted: Mapping[int, int], *, at: datetime, by: int | None) -> int:
    """Remind these people, by payer the step that they were to get; how many were.

    Everything is read again while nobody can pay: who paid a second ago hears nothing, who was reminded neither.
    """
    accounts = select(Account.id).where(Account.id.in_(wanted)).order_by(Account.id)
    session.scalars(locks.for_update(accounts, of=Account)).all()
    ledger.hold(session)
    today, said = local_day(at), steps(session)
    found = debts(session, today, list(wanted)).debts
    farm, cheques_to = get_farm(session), billing_settings(session).cheques_to
    sent = 0
    for reminder in due_reminders(session, found, today):
        if reminder.position == wanted[reminder.debt.payer_id] and _note(session, reminder, at=at, by=by):
            written = write(reminder, said, farm, cheques_to)
            outbox.post(session, to=reminder.debt.contact.email, at=at, **written.parts)
            sent += 1
    return sent


def _note(session: Session, reminder: DueReminder, *, at: datetime, by: int | None) -> bool:
    """Whether a step is new; another worker may have noted it meanwhile."""
    rows = [
        {
            "customer_id": invoice.customer_id,
            "invoice_id": invoice.id,
            "position": reminder.steps[invoice.id],
            "amount": invoice.open,
            "sent_at": at,
            "sent_by": by,
        }
        for invoice in reminder.debt.invoices
        if invoice.id in reminder.steps
    ]
    noted = insert(session, PaymentReminder).values(rows).on_conflict_do_nothing()
    ids = session.scalars(noted.returning(PaymentReminder.invoice_id)).all()
    for invoice_id in ids:
        after = {"step": reminder.steps[invoice_id]}
        audit.record(session, "invoice.remind", ("invoice", invoice_id), at=at, by=by, after=after)
    return bool(ids)


def remind_debtors() -> bool:
    """Where the farm wishes it: some of those who are to be reminded; True if others may wait."""
    now = clock.now()
    if not is_time(now):
        return False
    today = local_day(now)
    with own_reading() as session:
        if not billing_settings(session).reminds:
            return False
        due = due_reminders(session, debts(session, today).debts, today)[:AT_ONCE]
    wanted = {reminder.debt.payer_id: reminder.position for reminder in due}
    if not wanted:
        return False
    with own_transaction() as session:
        return send(session, wanted, at=now, by=None) > 0
