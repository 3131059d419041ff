"""Subscriptions: their terms, past and coming; changing them, taking that back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from portal.accounts.acting import mailed
from portal.accounts.household import acts_for_farm
from portal.boxes.queries import with_changes
from portal.catalogue.models import Kind
from portal.catalogue.queries import PricedFormula, priced_formulas
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, hands, holder, member
from portal.member.forms import TermsForm, read_aboard, read_dates, read_day, with_usual
from portal.member.planning import ask_about_orders, fates_said
from portal.pickup.queries import PointView, offered_points
from portal.planning import previews, terms, waiting
from portal.planning.drafts import Choice, keeper
from portal.planning.overview import is_live, overview
from portal.planning.previews import Preview, TermView, term_view
from portal.planning.terms import Answer, Outcome
from portal.rules.calendar import Rhythm
from portal.rules.changes import Refusal
from portal.rules.cutoffs import local_day
from portal.subscriptions.queries import Holding, of_account, withheld
from portal.web.filters import day as day_words
from portal.web.guards import payer_only
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

REFUSED = {
    Refusal.FULL: _l("Ce point de retrait est complet : choisissez-en un autre."),
    Refusal.NOT_OFFERED: _l(
        "Ce point de retrait ne propose pas cette formule : choisissez une autre formule, ou un autre point."
    ),
    Refusal.NOT_EXPECTED: _l("Aucune livraison n'y est prévue : choisissez un autre point de retrait."),
}

OTHER_DATE = _l(
    "La date a changé entre-temps, et rien n'est enregistré : relisez, puis confirmez de nouveau."
)


@blueprint.get("/abonnements")
def subscriptions() -> ResponseReturnValue:
    return _overview_page()


@blueprint.post("/abonnements/<id:subscription_id>/annulation")
def withdraw_terms(subscription_id: int) -> ResponseReturnValue:
    """Take back terms that have not begun, named by their Monday."""
    monday = read_day(request.form, "lundi") or abort(400)
    orders = read_aboard(request.form)
    outcome = terms.withdraw(
        db.session(), holder(), subscription_id, monday, by=hands(), orders=orders
    ) or abort(404)
    if outcome.orders.question:
        return ask_about_orders(outcome.orders.question, url_for("member.subscriptions"))
    if outcome.answer is Answer.DONE:
        _flash_done(_("C'est fait : ce changement est annulé."), outcome)
    elif outcome.answer is Answer.ALREADY:
        flash(_("C'était déjà fait : ce changement n'est plus prévu."), "success")
    elif outcome.answer is Refusal.FULL:
        return _overview_page(
            _("Le point de retrait d'avant est complet : ce changement ne peut plus être annulé."), 422
        )
    elif outcome.answer is Refusal.NOT_OFFERED:
        return _overview_page(
            _("Un point de retrait ne propose pas ce qui reviendrait : demandez plutôt un autre changement."),
            422,
        )
    else:
        return _overview_page(
            _("Trop tard : une livraison de ce changement est close. Vous pouvez en demander un autre."), 422
        )
    return redirect(url_for("member.subscriptions"), 303)


@blueprint.post("/abonnements/<id:subscription_id>/reprise")
@payer_only
def resume_subscription(subscription_id: int) -> ResponseReturnValue:
    """Go to the summary with what an ended one was."""
    session, now = db.session(), clock.now()
    found = overview(session, holder().id, now)
    ended = next((one for one in found if one.id == subscription_id and one.resumable), None) or abort(404)
    was = ended.now
    choice = Choice(was.formula.id, was.quantity, None, was.point.id, was.rhythm)
    keeper(session, holder().id).save(choice, now)
    return redirect(url_for("public.join_summary"), 303)


def _overview_page(refused: str | None = None, status: int = 200) -> ResponseReturnValue:
    session = db.session()
    found = overview(session, holder().id, clock.now())
    page = render_template(
        "member/subscriptions/page.html",
        begun=keeper(session, holder().id).read().formula_id is not None,
        waits=waiting.of_account(session, holder().id),
        live=[item for item in found if not item.over],
        ended=[item for item in found if item.over],
        shared_by=holder() if holder() is not member() else None,
        refused=refused,
    )
    return make_response(page, status)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A choice of terms, and what it is chosen from."""

    form: TermsForm
    usual: TermView
    holdings: list[Holding]
    formulas: list[PricedFormula]
    along: dict[str, TermView]
    """What is asked about: collected with the vegetables, where they move to another point."""
    stay: list[TermView]
    """What cannot move along: the chosen point does not offer it."""


@blueprint.route("/abonnements/<id:subscription_id>/modifier", methods=["GET", "POST"])
def change_terms(subscription_id: int) -> ResponseReturnValue:
    """What a change would come to; the form of that preview confirms it."""
    if request.method == "POST":
        return _confirm_terms(subscription_id)
    now = clock.now()
    return _terms_page(subscription_id, _asked(subscription_id, request.args, now, fill=True), now)


def _confirm_terms(subscription_id: int) -> ResponseReturnValue:
    now = clock.now()
    asked = _asked(subscription_id, request.form, now)
    if not asked.form.validate():
        return _terms_page(subscription_id, asked, now)
    also = [int(value) for value in asked.form.also.data]
    outcome = terms.change(
        db.session(),
        holder(),
        subscription_id,
        asked.form.wanted,
        also=also,
        expected=read_dates(request.form, [subscription_id, *also]),
        by=hands(),
        orders=read_aboard(request.form),
    )
    if outcome is None:
        abort(404)
    if outcome.orders.question:
        return ask_about_orders(outcome.orders.question, url_for("member.subscriptions"))
    if outcome.answer is Answer.ALREADY:
        flash(_("C'était déjà fait : votre abonnement est ainsi."), "success")
    elif outcome.answer is Answer.DONE:
        said = (
            _("%(formula)s à partir du %(day)s", formula=c.new.label, day=day_words([*c.days, c.monday][0]))
            for c in outcome.changes
        )
        _flash_done(_("C'est fait : %(what)s.", what=" ; ".join(said)), outcome)
    else:
        return _terms_page(subscription_id, asked, clock.now(), outcome.answer)
    return redirect(url_for("member.subscriptions"), 303)


def _flash_done(said: str, outcome: Outcome) -> None:
    flash(" ".join(filter(None, (said, fates_said(outcome.orders), mailed()))), "success")


def _asked(subscription_id: int, sent: MultiDict[str, str], now: datetime, *, fill: bool = False) -> _Asked:
    """What a form chooses; where it is only looked at, `fill` takes what is usual for what is missing."""
    session = db.session()
    live = _live(now)
    holding = next((holding for holding in live if holding.id == subscription_id), None) or abort(404)
    usual = term_view(holding, holding.plan.terms[-1])
    formulas = [
        priced
        for priced in priced_formulas(session, local_day(now), retired=True)
        if priced.formula.kind is usual.formula.kind
        and (not priced.formula.retired or priced.formula.id == usual.formula.id)
    ]
    points = _with(usual.point, offered_points(session))
    form = TermsForm(with_usual(sent, usual) if fill else sent, formulas=formulas, points=points, usual=usual)
    others = {str(h.id): term_view(h, h.plan.terms[-1]) for h in live if h is not holding}
    form.also.choices = [(number, term.formula.name) for number, term in others.items()]
    along, stay = _along(others, usual, form.points.get(form.point.data))
    if fill and "aussi" not in sent:
        form.also.data = list(along)
    return _Asked(form, usual, live, formulas, along, stay)


def _live(now: datetime) -> list[Holding]:
    today = local_day(now)
    mine = [holding for holding in of_account(db.session(), holder().id) if is_live(holding, today)]
    return with_changes(db.session(), mine, today)


def _with(present: PointView, offered: list[PointView]) -> list[PointView]:
    """A point that is retired stays to who has it."""
    return offered if any(point.id == present.id for point in offered) else [present, *offered]


def _along(
    others: dict[str, TermView], usual: TermView, point: PointView | None
) -> tuple[dict[str, TermView], list[TermView]]:
    """What may move along with the vegetables to another point, and what it does not offer."""
    if usual.formula.kind is not Kind.VEGETABLES or point is None or point.id == usual.point.id:
        return {}, []
    missing = withheld(db.session())
    there = {number: term for number, term in others.items() if term.point.id == usual.point.id}
    stay = {number for number, term in there.items() if (point.id, term.formula.id) in missing}
    return (
        {number: term for number, term in there.items() if number not in stay},
        [there[number] for number in there if number in stay],
    )


def _terms_page(
    subscription_id: int, asked: _Asked, now: datetime, answer: Answer | Refusal | None = None
) -> ResponseReturnValue:
    form = asked.form
    valid = form.validate()
    preview = previews.preview(
        db.session(),
        asked.holdings,
        subscription_id,
        form.wanted if valid else asked.usual,
        also=[int(value) for value in form.also.data] if valid else (),
        now=now,
        account_id=holder().id,
        by_farm=acts_for_farm(hands(), holder()),
    )
    return _answer(
        "member/subscriptions/_change.html" if is_htmx() else "member/subscriptions/change.html",
        form,
        preview,
        answer,
        subscription_id=subscription_id,
        asked=asked,
        wanted=form.wanted if valid else None,
    )


def _answer(
    template: str, form: TermsForm, preview: Preview, answer: Answer | Refusal | None, **context: Any
) -> ResponseReturnValue:
    """The page, or the parts of it that follow the form; a refusal stands beside its field."""
    status = 422 if form.errors or answer else 200
    if isinstance(answer, Refusal):
        form.point.errors = [REFUSED[answer]]
    page = render_template(
        template,
        form=form,
        rhythms=list(Rhythm),
        refused=REFUSED[preview.refusal] if preview.refusal else None,
        preview=preview,
        other_date=OTHER_DATE if answer is Answer.OTHER_DATE else None,
        **context,
    )
    return make_response(page, status)
