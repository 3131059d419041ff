"""A pile of cheques, entered as a table: all of it or nothing."""

from dataclasses import dataclass
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form
from wtforms.widgets import DateInput, HiddenInput

from portal.billing import receipts
from portal.billing.balances import balances
from portal.billing.models import LedgerEntry
from portal.billing.payers import Payer, customer_for, named, payers
from portal.billing.payments import Payment, Refusal
from portal.farm import blueprint, staff
from portal.farm.payments import LONGEST, MEANS, MOST_CENTS, new_key, refusal_words
from portal.infra import clock
from portal.infra.orm import db
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.rules.permissions import Permission
from portal.web.filters import money
from portal.web.forms import Chosen, Typed, choices, day, euros, line, slug, write_euros
from portal.web.guards import needs
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import ngettext

AT_FIRST, MORE, MOST = 8, 5, 200
_read_amount, _read_reference = euros(1, MOST_CENTS), line(40)


class PileForm(Form):
    key = Typed("", slug(32), widget=HiddenInput())
    means = Chosen(_l("Moyen"))
    day = Typed(_l("Jour"), day, widget=DateInput())
    total = Typed(
        _l("Total de la pile, pour vérifier"), euros(1, MOST_CENTS * MOST), write=write_euros, needed=False
    )

    def process(self, *args: Any, **values: Any) -> None:
        self.means.choices = choices((means, str(said)) for means, said in MEANS.items())
        super().process(*args, **values)


@dataclass(slots=True)
class Row:
    """A line as it was typed, what it means, and what is wrong with it, by its field."""

    who: str = ""
    amount: str = ""
    reference: str = ""
    payer: Payer | None = None
    money: Money | None = None
    owes: Money | None = None
    errors: dict[str, str] | None = None

    def __bool__(self) -> bool:
        return bool(self.who or self.amount or self.reference)


@blueprint.get("/reglements/pile")
@needs(Permission.READ_BILLS)
def pile() -> ResponseReturnValue:
    form = PileForm(data={"key": new_key(), "means": PaymentMeans.CHEQUE, "day": local_day(clock.now())})
    return _page(form, [Row() for _ in range(AT_FIRST)])


@blueprint.post("/reglements/pile")
@needs(Permission.READ_BILLS)
def enter_pile() -> ResponseReturnValue:
    form, rows = PileForm(request.form), _typed()
    if "lignes" in request.form:
        _read(rows)
        form.validate()
        for field in form:
            field.errors = []
        return _page(form, [*rows, *(Row() for _ in range(MORE))][:MOST], on=len(rows) + 1)
    sound = _judge(rows)
    if not form.validate() or not sound:
        return _page(form, rows, 422)
    total = _sum(rows)
    if form.total.data and form.total.data != total:
        form.total.errors = [
            form.total.says(_("les lignes font %(sum)s : l'un des deux se trompe.", sum=money(total)))
        ]
        return _page(form, rows, 422)
    entered = _enter(form, [row for row in rows if row])
    if isinstance(entered, Refusal):
        form.day.errors = [form.day.says(refusal_words(entered))]
        form.key.raw_data = [new_key()]
        return _page(form, rows, 422)
    said = ngettext("%(num)s règlement est noté.", "%(num)s règlements sont notés.", len(entered))
    flash(f"{said} {_('Ensemble : %(sum)s.', sum=money(total))}", "success")
    return redirect(url_for("farm.payments_list"), 303)


def _enter(form: PileForm, rows: list[Row]) -> list[LedgerEntry] | Refusal:
    session = db.session()
    whose = dict.fromkeys(row.payer for row in rows if row.payer)
    customers = {payer: customer_for(session, payer).id for payer in sorted(whose, key=_lock_order)}
    given = [
        Payment(
            customers[row.payer],
            PaymentMeans(form.means.data),
            row.money,
            form.day.data,
            row.reference or None,
            key=f"{form.key.data}-{number}",
        )
        for number, row in enumerate(rows)
        if row.payer and row.money
    ]
    return receipts.receive(session, given, at=clock.now(), by=staff().id)


def _lock_order(payer: Payer) -> tuple[bool, int]:
    """Accounts, then orders, each by id."""
    return payer.account_id is None, payer.account_id or payer.order_id or 0


def _typed() -> list[Row]:
    columns = (request.form.getlist(name)[:MOST] for name in ("qui", "montant", "reference"))
    return [
        Row(_plain(who), _plain(amount), _plain(reference))
        for who, amount, reference in zip(*columns, strict=False)
    ]


def _plain(cell: str) -> str:
    return " ".join(cell.split())[:LONGEST]


def _read(rows: list[Row]) -> None:
    """Whose each line is, and how much."""
    session = db.session()
    known = payers(session, {row.who for row in rows if row.who})
    for text in {row.who for row in rows if row.who} - known.keys():
        if len(alike := named(session, text)) == 1:
            known[text] = alike[0]
    owed = balances(session, [payer.account_id for payer in known.values() if payer.account_id])
    for row in rows:
        row.payer = known.get(row.who)
        row.owes = owed.get(row.payer.account_id or 0) if row.payer else None
        try:
            row.money = _read_amount(row.amount) if row.amount else None
        except ValueError as error:
            row.errors = {"amount": str(error)}


def _judge(rows: list[Row]) -> bool:
    """Say what is wrong beside each line; whether nothing is."""
    _read(rows)
    for row in rows:
        wrong = row.errors or {}
        if row and not row.payer:
            wrong["who"] = _("personne n'a ce numéro, ni seul·e ce nom.") if row.who else _("à qui est-ce ?")
        if row and not row.amount:
            wrong["amount"] = _("à remplir.")
        try:
            _read_reference(row.reference)
        except ValueError as error:
            wrong["reference"] = str(error)
        row.errors = wrong or None
    if not any(rows):
        rows[:1] = [Row(errors={"who": _("notez au moins une ligne.")})]
    return not any(row.errors for row in rows)


def _sum(rows: list[Row]) -> Money:
    return sum((row.money for row in rows if row.money), Money.zero())


def _page(
    form: PileForm, rows: list[Row], status: int = 200, *, on: int | None = None
) -> ResponseReturnValue:
    """`on` is the line on which one goes on."""
    page = render_template(
        "farm/payments/_pile.html" if is_htmx() else "farm/payments/pile.html",
        form=form,
        rows=rows,
        on=on,
        refused=status == 422,
        sum=_sum(rows),
        most=MOST,
        today=local_day(clock.now()),
        nav_current="farm.index",
    )
    return make_response(page, status)
