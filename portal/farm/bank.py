"""The bank's statements: sent, and line by line said whose the money is."""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import UnprocessableEntity

from portal.billing import matching, statements
from portal.billing.camt import BadStatement
from portal.billing.matching import LineView, PayerView, Refusal
from portal.billing.models import BankLineState
from portal.billing.payments import Refusal as NoPayment
from portal.billing.statements import MOST_BYTES, UnknownColumns
from portal.exchange.reading import MOST_LINES, BadTable
from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.planning.people import LONGEST
from portal.rules.matching import Confidence, invoice_numbers
from portal.rules.money import Money
from portal.rules.permissions import Permission
from portal.web.filters import money
from portal.web.forms import whole
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import ngettext
from portal.web.limits import takes_uploads

ADDRESS = "/banque/<id:line_id>"
A_PAGE = 100
MOST_RESENT = 600 * 1024
"""A form may carry so much of a file whose columns are being named."""
STATES = {
    "a-traiter": BankLineState.OPEN,
    "enregistrees": BankLineState.ENTERED,
    "de-cote": BankLineState.IGNORED,
}
KINDS = {
    "day": _l("La date"),
    "amount": _l("Le montant, avec son signe"),
    "debit": _l("Le débit : l'argent qui sort"),
    "credit": _l("Le crédit : l'argent qui entre"),
    "name": _l("Le nom de l'autre"),
    "label": _l("Le libellé"),
    "details": _l("Un complément du libellé"),
}
PAIR = re.compile(r"(-?[1-9][0-9]{0,8}):(-?[1-9][0-9]{0,8})?", re.ASCII)
"""A line and its payer, or a payer and a step: guests are below nought."""
_PAYER = re.compile(r"-?[1-9][0-9]{0,8}", re.ASCII)
_read_number = whole(1, 999_999)


@blueprint.get("/banque")
@needs(Permission.BILL)
def bank() -> ResponseReturnValue:
    return _page()


@blueprint.post("/banque")
@needs(Permission.BILL)
@takes_uploads
def send_statement() -> ResponseReturnValue:
    upload = request.files.get("fichier")
    data = _read(upload) if upload else b""
    if not data or len(data) > MOST_BYTES:
        return _page(422, problem="too_big" if data else "missing")
    assert upload
    return _take_in(data, upload.filename or "", statements.chosen_columns(db.session()))


@blueprint.post("/banque/colonnes")
@needs(Permission.BILL)
def name_columns() -> ResponseReturnValue:
    """Say once which of the file's columns is what; the file comes along, for it is not kept."""
    try:
        data = b64decode(request.form.get("donnees", ""), validate=True)
    except (NotBase64, ValueError):
        raise UnprocessableEntity from None
    chosen = {key: request.form[key] for key in KINDS if request.form.get(key)}
    return _take_in(data, request.form.get("nom", ""), chosen, naming=True)


@blueprint.post("/banque/certaines")
@needs(Permission.BILL)
def settle_certain() -> ResponseReturnValue:
    """Those that the page showed as certain, if they still are."""
    pairs = [PAIR.fullmatch(pair) for pair in request.form.getlist("ligne")]
    wanted = {int(pair[1]): int(pair[2]) if pair[2] else None for pair in pairs if pair}
    done = matching.settle_certain(db.session(), wanted, at=clock.now(), by=staff().id)
    if isinstance(done, Refusal | NoPayment):
        return _page(422, refusal=done)
    entered, aside = done
    said = ngettext("%(num)s règlement est enregistré.", "%(num)s règlements sont enregistrés.", entered)
    if aside:
        said += " " + ngettext("%(num)s ligne est mise de côté.", "%(num)s lignes sont mises de côté.", aside)
    flash(said, "success")
    return redirect(url_for("farm.bank"), 303)


@blueprint.get(ADDRESS)
@needs(Permission.BILL)
def bank_line(line_id: int) -> ResponseReturnValue:
    """A line on its own, to say whose it is."""
    return _line_page(_line_or_404(line_id))


@blueprint.post(ADDRESS)
@needs(Permission.BILL)
def enter_line(line_id: int) -> ResponseReturnValue:
    line, payer = _line_or_404(line_id), request.form.get("paye-par", "")
    if not _PAYER.fullmatch(payer):
        raise UnprocessableEntity
    session = db.session()
    done = matching.enter(session, {line_id: int(payer)}, at=clock.now(), by=staff().id)
    if isinstance(done, Refusal | NoPayment):
        return _line_page(line, 422, refusal=done)
    who = matching.payers(session, [int(payer)])[int(payer)]
    flash(_said(line, who), "success")
    return redirect(url_for("farm.bank"), 303)


@blueprint.post(f"{ADDRESS}/mise-de-cote")
@needs(Permission.BILL)
def set_line_aside(line_id: int) -> ResponseReturnValue:
    line = _line_or_404(line_id)
    if refusal := matching.ignore(db.session(), line_id, at=clock.now(), by=staff().id):
        return _line_page(line, 422, refusal=refusal)
    flash(_("La ligne de %(amount)s est mise de côté.", amount=money(line.amount)), "success")
    return redirect(url_for("farm.bank"), 303)


@blueprint.post(f"{ADDRESS}/retour")
@needs(Permission.BILL)
def reopen_line(line_id: int) -> ResponseReturnValue:
    line = _line_or_404(line_id)
    if refusal := matching.reopen(db.session(), line_id, at=clock.now(), by=staff().id):
        return _line_page(line, 422, refusal=refusal)
    flash(_("La ligne de %(amount)s est de nouveau à traiter.", amount=money(line.amount)), "success")
    return redirect(url_for("farm.bank"), 303)


def _take_in(data: bytes, name: str, chosen: dict[str, str], *, naming: bool = False) -> ResponseReturnValue:
    session, now, by = db.session(), clock.now(), staff().id
    try:
        found = statements.read(data, chosen)
    except (BadStatement, BadTable) as bad:
        return _page(422, problem=bad.problem)
    except UnknownColumns as unknown:
        if len(data) > MOST_RESENT:
            return _page(422, problem="too_big_to_name")
        return _columns_page(unknown.rows, data, name, chosen, refused=naming)
    if statements.is_told_otherwise(session, found):
        return _page(422, problem="other_format")
    if naming:
        statements.choose_columns(session, chosen, at=now, by=by)
    done = statements.take_in(session, data, name, found, at=now, by=by)
    said = (
        ngettext("%(num)s ligne de plus.", "%(num)s lignes de plus.", done.new)
        if done.new
        else _("Rien de nouveau.")
    )
    if done.known:
        said += " " + ngettext("%(num)s était déjà là.", "%(num)s étaient déjà là.", done.known)
    flash(said, "success")
    if done.unread:
        places = ", ".join(map(str, done.unread[:20]))
        flash(_("Illisibles dans le fichier, à regarder : lignes %(places)s.", places=places), "warning")
    return redirect(url_for("farm.bank"), 303)


def _read(upload: FileStorage) -> bytes:
    try:
        return upload.stream.read(MOST_BYTES + 1)
    finally:
        upload.close()


def _said(line: LineView, who: PayerView) -> str:
    said = _("%(amount)s de %(name)s, c'est enregistré.", amount=money(line.amount), name=who.name)
    if who.balance < Money.zero():
        ahead = money(who.balance * -1)
        said += " " + _("Il reste %(amount)s d'avance à son compte.", amount=ahead)
    return said


def _line_or_404(line_id: int) -> LineView:
    return matching.find_line(db.session(), line_id) or abort(404)


def _page(status: int = 200, **context: Any) -> ResponseReturnValue:
    session = db.session()
    asked = request.args.get("etat", "a-traiter")
    state = STATES.get(asked, BankLineState.OPEN)
    try:
        page = _read_number(request.args.get("page", "1")) - 1
    except ValueError:
        page = 0
    lines = matching.list_lines(session, state, page=page, size=A_PAGE)
    more, lines = len(lines) > A_PAGE, lines[:A_PAGE]
    proposals = matching.proposals(session, lines) if state is BankLineState.OPEN else {}
    certain = [
        line for line in lines if line.id in proposals and proposals[line.id].confidence is Confidence.CERTAIN
    ]
    ids = {found.payer_id for found in proposals.values()} | {line.payer_id for line in lines}
    answer = render_template(
        "farm/bank/list.html",
        lines=lines,
        more=more,
        page=page,
        state=state,
        asked=next(name for name, each in STATES.items() if each is state),
        counts=matching.count_lines(session),
        latest=statements.latest(session),
        states=STATES,
        proposals=proposals,
        certain=certain,
        certain_total=sum((line.amount for line in certain if proposals[line.id].payer_id), Money.zero()),
        payers=matching.payers(session, ids - {None}),  # type: ignore[arg-type]
        most_megabytes=MOST_BYTES // 1024**2,
        most_lines=MOST_LINES,
        nav_current="farm.index",
        **context,
    )
    return make_response(answer, status)


def _columns_page(
    rows: list[list[str]], data: bytes, name: str, chosen: dict[str, str], *, refused: bool
) -> ResponseReturnValue:
    page = render_template(
        "farm/bank/columns.html",
        heads=rows[0],
        rows=rows[1:],
        kinds=KINDS,
        chosen=chosen,
        refused=refused,
        name=name,
        data=b64encode(data).decode(),
        nav_current="farm.index",
    )
    return make_response(page, 422)


def _line_page(line: LineView, status: int = 200, *, refusal: str | None = None) -> ResponseReturnValue:
    session = db.session()
    line = matching.find_line(session, line.id) or line
    text = request.args.get("q", "").strip()[:LONGEST]
    proposal = matching.proposals(session, [line])[line.id] if line.state is BankLineState.OPEN else None
    known = {number for number in (line.payer_id, proposal and proposal.payer_id) if number}
    page = render_template(
        "farm/bank/line.html",
        line=line,
        text=text,
        longest=LONGEST,
        found=matching.search(session, text) if text else None,
        proposal=proposal,
        numbers=invoice_numbers(line.movement.text),
        payers=matching.payers(session, known),
        refusal=refusal,
        nav_current="farm.index",
    )
    return make_response(page, status)
