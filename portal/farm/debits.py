"""Direct debits at the desk: what is announced, the bank's files, what comes back."""

from contextlib import suppress
from datetime import date
from io import BytesIO
from math import ceil
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import undefer
from wtforms import Form
from wtforms.widgets import DateInput

from portal.accounts.proofs import fresh_proof_needed
from portal.billing import batches, mandates, returns
from portal.billing import debit_queries as queries
from portal.billing.batches import GIVEN, Made
from portal.billing.debit_queries import A_PAGE, FOUND, DebitLine, Found
from portal.billing.debits import postpone
from portal.billing.models import DebitBatch
from portal.billing.returns import Outcome
from portal.billing.settings import billing_settings
from portal.farm import blueprint, staff
from portal.farm.downloads import attachment
from portal.infra import audit, clock
from portal.infra.orm import db
from portal.rules.collecting import AfterReturn, FileRefusal
from portal.rules.cutoffs import local_day
from portal.rules.permissions import Permission
from portal.rules.sepa import ReturnCode
from portal.web.filters import day_month, day_year
from portal.web.filters import money as money_words
from portal.web.forms import Chosen, Typed, choices, day, euros
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import ngettext

ADDRESS = "/prelevements"
OF_DAY = f"{ADDRESS}/<date:day>"
FILE = f"{ADDRESS}/fichiers/<id:batch_id>"
ONE = f"{ADDRESS}/<id:debit_id>"
MOST_CENTS = 99_999_999
LONGEST = 80
XML = "application/xml"

CODES = {
    ReturnCode.AM04: _l("il n'y avait pas assez sur le compte"),
    ReturnCode.MD06: _l("la personne a demandé à être remboursée"),
    ReturnCode.MS02: _l("la personne s'y est opposée"),
    ReturnCode.MS03: _l("la banque ne dit pas pourquoi"),
    ReturnCode.AC04: _l("le compte est fermé"),
    ReturnCode.AC01: _l("ce numéro de compte n'existe pas"),
    ReturnCode.AC06: _l("le compte est bloqué"),
    ReturnCode.AC13: _l("le compte n'est pas celui d'une personne"),
    ReturnCode.AG01: _l("ce compte n'admet pas de prélèvement"),
    ReturnCode.MD01: _l("la personne dit n'avoir pas signé de mandat"),
    ReturnCode.MD07: _l("la personne est décédée"),
    ReturnCode.SL01: _l("la banque de la personne bloque la ferme"),
    ReturnCode.AM05: _l("le prélèvement est arrivé deux fois"),
    ReturnCode.AG02: _l("la banque n'a pas compris l'opération"),
    ReturnCode.BE05: _l("la banque ne reconnaît pas l'ICS de la ferme"),
    ReturnCode.FF01: _l("le fichier avait un défaut"),
    ReturnCode.MD02: _l("les données du mandat ne concordent pas"),
    ReturnCode.RC01: _l("le BIC n'est pas le bon"),
    ReturnCode.RR01: _l("la loi du pays : il manque le numéro du compte"),
    ReturnCode.RR02: _l("la loi du pays : il manque le nom ou l'adresse de la personne"),
    ReturnCode.RR03: _l("la loi du pays : il manque le nom ou l'adresse de la ferme"),
    ReturnCode.RR04: _l("la loi du pays, sans autre raison"),
}
"""In plain words, what happens most first."""


class ReturnForm(Form):
    code = Chosen(_l("Le motif que donne la banque"))
    day = Typed(_l("Revenu le"), day, widget=DateInput())

    def process(self, *args: Any, **values: Any) -> None:
        named = ((code, _("%(words)s (%(code)s)", words=words, code=code)) for code, words in CODES.items())
        self.code.choices = choices([("", _("Choisissez")), *named])
        super().process(*args, **values)


@blueprint.get(ADDRESS)
@needs(Permission.READ_BILLS)
def debits() -> ResponseReturnValue:
    return _home()


def _home(*, status: int = 200, **context: Any) -> ResponseReturnValue:
    session, text = db.session(), request.args.get("q", "").strip()[:LONGEST]
    page, found = _page_asked(), None
    if text:
        found = _search(text, page)
    known, creditor = billing_settings(session), mandates.creditor(session)
    shown = render_template(
        "farm/debits/home.html",
        days=queries.announced(session),
        files=queries.files(session),
        back=queries.returned(session),
        text=text,
        found=found,
        page=page,
        pages=ceil(found.count / FOUND) if found else 0,
        codes=CODES,
        today=local_day(clock.now()),
        collects=creditor is not None and known.iban is not None,
        settings=known,
        nav_current="farm.index",
        **context,
    )
    return make_response(shown, status)


def _page_asked() -> int:
    return max(min(request.args.get("page", default=1, type=int), 10_000), 1) - 1


def _search(text: str, page: int) -> Found:
    """« Aubert », « F2026-00042 », « C10001-M1 », « 38,60 », « 2026-07-10 »."""
    amount = wanted = None
    with suppress(ValueError):
        amount = euros(1, MOST_CENTS)(text)
    with suppress(ValueError):
        wanted = day(text)
    return queries.search(db.session(), text, cents=amount.cents if amount else None, day=wanted, page=page)


@blueprint.get(OF_DAY)
@needs(Permission.READ_BILLS)
def debits_of_day(day: date) -> ResponseReturnValue:
    page, found = _page_asked(), queries.of_day(db.session(), day)
    if not found.prospects:
        abort(404)
    return render_template(
        "farm/debits/day.html",
        day=day,
        found=found,
        shown=found.prospects[page * A_PAGE :][:A_PAGE],
        left={each.debit.id: each.amount for each in found.prospects},
        page=page,
        pages=ceil(len(found.prospects) / A_PAGE),
        codes=CODES,
        nav_current="farm.index",
    )


@blueprint.post(f"{OF_DAY}/fichier")
@needs(Permission.COLLECT)
def make_debit_files(day: date) -> ResponseReturnValue:
    """What is announced for that day goes into files, each once."""
    made = batches.make(db.session(), day, by=staff().id)
    if not isinstance(made, Made):
        return _home(status=422, refusal=made)
    if made.moved:
        late = ngettext(
            "Un prélèvement n'a pas été annoncé à temps : il passe au jour suivant, un mail part.",
            "%(n)s prélèvements n'ont pas été annoncés à temps : ils passent au jour suivant, autant de mails partent.",
            made.moved,
        )
        flash(late, "warning")
    if made.debits:
        words = {"sum": money_words(made.total), "day": day_month(day)}
        done = ngettext(
            "Le fichier du %(day)s est prêt : un prélèvement, %(sum)s.",
            "Le fichier du %(day)s est prêt : %(n)s prélèvements, %(sum)s en tout.",
            made.debits,
            **words,
        )
        if made.files > 1:
            done = _(
                "%(files)s fichiers sont prêts pour le %(day)s : %(n)s prélèvements, %(sum)s en tout.",
                files=made.files,
                n=made.debits,
                **words,
            )
        flash(done, "success")
    elif made.dropped:
        flash(_("Rien n'est à prélever le %(day)s : tout est déjà payé.", day=day_month(day)), "success")
    elif not made.moved:
        flash(_("Le fichier du %(day)s était déjà fait.", day=day_month(day)), "success")
    return _back("fichiers")


@blueprint.post(f"{OF_DAY}/report")
@needs(Permission.COLLECT)
def postpone_debits(day: date) -> ResponseReturnValue:
    """What missed its file is announced for the next day, and each person told."""
    moved = postpone(db.session(), day, by=staff().id)
    if isinstance(moved, FileRefusal):
        return _home(status=422, refusal=moved)
    flash(
        ngettext(
            "Un prélèvement change de jour, un mail part.",
            "%(n)s prélèvements changent de jour, autant de mails partent.",
            moved,
        )
        if moved
        else _("C'était déjà fait : rien n'a changé."),
        "success",
    )
    return _back()


@blueprint.post(f"{FILE}/telechargement")
@needs(Permission.COLLECT)
@fresh_proof_needed
def download_debit_file(batch_id: int) -> ResponseReturnValue:
    """Whole account numbers leave the house here, and nowhere else: each time is on the trail (BAR P1)."""
    batch = _file_or_404(batch_id, undefer(DebitBatch.data))
    if batch.dropped_at or batch.data is None:
        abort(404)
    audit.record(
        db.session(),
        "debit_batch.download",
        ("debit_batch", batch.id),
        at=clock.now(),
        by=staff().id,
        after={"count": batch.count},
    )
    name = f"prelevements-{batch.collected_on}-{batch.id}.xml"
    return attachment(BytesIO(batch.data), name, XML)


@blueprint.post(f"{FILE}/depot")
@needs(Permission.COLLECT)
def present_debit_file(batch_id: int) -> ResponseReturnValue:
    _file_or_404(batch_id)
    given = request.form.get("given") == "1"
    if refusal := batches.present(db.session(), batch_id, given=given, by=staff().id):
        return _home(status=422, refusal=refusal, unless_given=batch_id if refusal in GIVEN else None)
    flash(_("C'est noté : la banque a le fichier. Les paiements seront inscrits le jour dit."), "success")
    return _back("fichiers")


@blueprint.post(f"{FILE}/reprise")
@needs(Permission.COLLECT)
def take_debit_file_back(batch_id: int) -> ResponseReturnValue:
    _file_or_404(batch_id)
    if refusal := batches.take_back(db.session(), batch_id, by=staff().id):
        return _home(status=422, refusal=refusal)
    flash(_("Le fichier est repris : ne le donnez pas à la banque. Il peut être refait."), "success")
    return _back()


@blueprint.get(ONE)
@needs(Permission.READ_BILLS)
def debit(debit_id: int) -> ResponseReturnValue:
    return _page(_debit_or_404(debit_id), ReturnForm(data={"day": local_day(clock.now())}))


@blueprint.post(f"{ONE}/retour")
@needs(Permission.COLLECT)
def return_debit(debit_id: int) -> ResponseReturnValue:
    found, form = _debit_or_404(debit_id), ReturnForm(request.form)
    if not form.validate():
        return _page(found, form, status=422)
    done = returns.enter(db.session(), debit_id, form.code.data, form.day.data, by=staff().id)
    if isinstance(done, returns.Refusal):
        return _page(found, form, status=422, refusal=done)
    flash(_outcome(done) if done else _("C'était déjà fait : rien n'a changé."), "success")
    return redirect(url_for("farm.debit", debit_id=debit_id), 303)


def _outcome(done: Outcome) -> str:
    if not done.told:
        return _("Le retour est inscrit. Personne n'est prévenu par mail : appelez plutôt la famille.")
    if done.again_on:
        return _(
            "Le retour est inscrit. Un mail annonce une nouvelle tentative le %(day)s.",
            day=day_year(done.again_on),
        )
    if done.after is AfterReturn.MANDATE_ENDS:
        return _("Le retour est inscrit, le mandat a pris fin. Un mail demande un autre moyen de paiement.")
    return _("Le retour est inscrit. Un mail demande un autre moyen de paiement.")


@blueprint.post(f"{ONE}/retour/annulation")
@needs(Permission.COLLECT)
def undo_debit_return(debit_id: int) -> ResponseReturnValue:
    found = _debit_or_404(debit_id)
    if refusal := returns.undo(db.session(), debit_id, by=staff().id):
        return _page(found, ReturnForm(), status=422, refusal=refusal)
    flash(_("Le retour est annulé : le prélèvement compte de nouveau comme payé."), "success")
    return redirect(url_for("farm.debit", debit_id=debit_id), 303)


def _page(found: DebitLine, form: ReturnForm, *, status: int = 200, **context: Any) -> ResponseReturnValue:
    page = render_template(
        "farm/debits/debit.html",
        debit=found,
        attempts=[each for each in queries.attempts(db.session(), found.invoice_id) if each.id != found.id],
        form=form,
        codes=CODES,
        nav_current="farm.index",
        **context,
    )
    return make_response(page, status)


def _debit_or_404(debit_id: int) -> DebitLine:
    return queries.find(db.session(), debit_id) or abort(404)


def _file_or_404(batch_id: int, *options: Any) -> DebitBatch:
    return db.session().get(DebitBatch, batch_id, options=options) or abort(404)


def _back(anchor: str | None = None) -> ResponseReturnValue:
    return redirect(url_for("farm.debits", _anchor=anchor), 303)
