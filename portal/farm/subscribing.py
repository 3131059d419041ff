"""Starting and ending somebody's subscription; all else about it is done on their own pages, in their place."""

from datetime import date
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from wtforms import Form

from portal.accounts.models import Account
from portal.accounts.services import Closed
from portal.catalogue.queries import PricedFormula, priced_formulas
from portal.farm import blueprint, staff
from portal.farm.people import ADDRESS, account_or_404
from portal.infra import clock
from portal.infra.orm import db
from portal.pickup.queries import PointView, offered_points
from portal.planning import ending, joining
from portal.planning.ending import Ending
from portal.planning.joining import Joining, JoiningPreview
from portal.planning.overview import Overview, overview
from portal.planning.previews import TermView
from portal.planning.subscribing import subscribe
from portal.planning.terms import Answer
from portal.rules.calendar import Rhythm, monday_of
from portal.rules.changes import Refusal
from portal.rules.cutoffs import local_day
from portal.rules.permissions import Permission
from portal.web.filters import day as day_words
from portal.web.filters import money
from portal.web.forms import Chosen, Typed, choices, whole
from portal.web.forms import day as read_day
from portal.web.guards import needs
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

HELD = ADDRESS + "/abonnements/<id:subscription_id>"
MOST = 99
"""Boxes of one subscription; what staff enter for a school or a company."""


class StartForm(Form):
    """What a subscription shall be; `since` is the Monday of the week of its first box, if it can wait."""

    formula = Chosen(_l("Formule"), name="formule")
    quantity = Typed(_l("Quantité"), whole(1, MOST), name="quantite")
    rhythm = Chosen(_l("Rythme"), name="rythme")
    point = Chosen(_l("Point de retrait"), name="point")

    def __init__(self, sent: MultiDict[str, str] | None, **values: Any) -> None:
        day = local_day(clock.now())
        self.formulas: list[PricedFormula] = [
            item for item in priced_formulas(db.session(), day) if not item.formula.retired
        ]
        self.points: list[PointView] = offered_points(db.session())
        first = _day(sent, "premier") if sent else None
        self.since = monday_of(first) if first else None
        super().__init__(sent, **values)

    def process(self, *args: Any, **values: Any) -> None:
        none = ("", _("Choisir…"))
        priced = [
            (i.formula.id, _("%(formula)s, %(price)s", formula=i.formula.name, price=money(i.price)))
            for i in self.formulas
        ]
        self.formula.choices = choices([none, *priced])
        self.point.choices = choices([none, *((point.id, point.name) for point in self.points)])
        self.rhythm.choices = choices((rhythm.value, rhythm.value) for rhythm in Rhythm)
        super().process(*args, **values)

    @property
    def wanted(self) -> TermView:
        """Once it is valid."""
        return TermView(
            next(item.formula for item in self.formulas if item.formula.id == self.formula.data),
            self.quantity.data,
            Rhythm(self.rhythm.data),
            next(point for point in self.points if point.id == self.point.data),
        )


class EndForm(Form):
    day = Typed(_l("Dernier jour"), read_day, name="jour")


@blueprint.get(f"{ADDRESS}/abonnements/ajout")
@needs(Permission.PEOPLE)
def new_subscription(account_id: int) -> ResponseReturnValue:
    """The form; once it is filled in, what it would come to."""
    account = _payer_or_404(account_id)
    if "formule" not in request.args and "point" not in request.args:
        return _start_page(account, StartForm(None, quantity=1, rhythm=Rhythm.WEEKLY.value))
    return _start_page(account, StartForm(request.args))


@blueprint.post(f"{ADDRESS}/abonnements/ajout")
@needs(Permission.PEOPLE)
def start_subscription(account_id: int) -> ResponseReturnValue:
    account, form = _payer_or_404(account_id), StartForm(request.form)
    if not form.validate():
        return _start_page(account, form, 422)
    seen = request.form.get("vu", "")
    outcome = subscribe(db.session(), account, form.wanted, seen, since=form.since, by=staff())
    if outcome is Answer.OTHERWISE or isinstance(outcome, Refusal):
        return _start_page(account, form, 422, moved=outcome is Answer.OTHERWISE)
    if isinstance(outcome, Joining):
        first = day_words(outcome.boxes[0].delivery.day)
        flash(_("C'est fait : premier panier le %(day)s. Un mail le confirme.", day=first), "success")
        if outcome.full:
            flash(_("%(point)s dépasse maintenant ses places.", point=outcome.wanted.point.name), "warning")
    else:
        flash(_("C'était déjà fait : cet abonnement vient d'être pris."), "success")
    return redirect(url_for("farm.person", account_id=account_id), 303)


def _payer_or_404(account_id: int) -> Account:
    """Who shares another's boxes has none of their own."""
    account = account_or_404(account_id)
    return account if account.payer_id is None else abort(404)


def _start_page(account: Account, form: StartForm, status: int = 200, **context: Any) -> ResponseReturnValue:
    preview: JoiningPreview | None = None
    if form.formula.raw_data and form.validate():
        preview = joining.preview_joining(
            db.session(), form.wanted, clock.now(), since=form.since, by_farm=True
        )
    fragment = is_htmx() and request.method == "GET"
    page = render_template(
        "farm/people/_start.html" if fragment else "farm/people/start.html",
        person=account,
        form=form,
        preview=preview,
        rhythms=list(Rhythm),
        nav_current="farm.people",
        **context,
    )
    return make_response(page, status)


@blueprint.get(f"{HELD}/fin")
@needs(Permission.PEOPLE)
def ending_subscription(account_id: int, subscription_id: int) -> ResponseReturnValue:
    """The form; with a day, what it would come to."""
    account = account_or_404(account_id)
    return _end_page(account, subscription_id, EndForm(request.args if "jour" in request.args else None))


@blueprint.post(f"{HELD}/fin")
@needs(Permission.PEOPLE)
def end_subscription(account_id: int, subscription_id: int) -> ResponseReturnValue:
    account, form = account_or_404(account_id), EndForm(request.form)
    expected = _day(request.form, "dernier")
    if not _sound(form) or expected is None:
        return _end_page(account, subscription_id, form, 422)
    outcome = ending.end(
        db.session(), account, subscription_id, form.day.data, expected=expected, by=staff()
    ) or abort(404)
    if isinstance(outcome.answer, Refusal) or outcome.answer is Answer.OTHER_DATE:
        return _end_page(account, subscription_id, form, 422, moved=outcome.answer is Answer.OTHER_DATE)
    if outcome.answer is Answer.DONE:
        flash(_("C'est noté, un mail part. Vous pouvez encore revenir dessus."), "success")
    else:
        flash(_("C'était déjà fait."), "success")
    return redirect(url_for("farm.person", account_id=account_id), 303)


@blueprint.post(f"{HELD}/suite")
@needs(Permission.PEOPLE)
def go_on_with_subscription(account_id: int, subscription_id: int) -> ResponseReturnValue:
    account = account_or_404(account_id)
    back = redirect(url_for("farm.person", account_id=account_id), 303)
    try:
        outcome = ending.go_on(db.session(), account, subscription_id, by=staff()) or abort(404)
    except Closed:
        flash(_("Ce compte est fermé : rouvrez-le d'abord."), "warning")
        return back
    if isinstance(outcome.answer, Refusal):
        flash(_("Trop tard : une livraison s'est close depuis. Prenez un nouvel abonnement."), "warning")
    elif outcome.answer is Answer.DONE:
        flash(_("L'abonnement continue, un mail part."), "success")
    else:
        flash(_("C'était déjà fait."), "success")
    return back


def _end_page(
    account: Account, subscription_id: int, form: EndForm, status: int = 200, **context: Any
) -> ResponseReturnValue:
    item = _held_or_404(account, subscription_id)
    now = clock.now()
    found: Ending | Refusal | None = None
    if form.day.raw_data and _sound(form):
        found = ending.preview(db.session(), account.id, subscription_id, form.day.data, now)
    page = render_template(
        "farm/people/end.html",
        person=account,
        item=item,
        form=form,
        ending=found if isinstance(found, Ending) else None,
        too_late=isinstance(found, Refusal),
        today=local_day(now),
        nav_current="farm.people",
        **context,
    )
    return make_response(page, status)


def _sound(form: EndForm) -> bool:
    """Whether it can be read and has not gone by."""
    if not form.validate():
        return False
    if form.day.data < local_day(clock.now()):
        form.day.errors = [form.day.says(_("aujourd'hui ou plus tard."))]
        return False
    return True


def _held_or_404(account: Account, subscription_id: int) -> Overview:
    held = overview(db.session(), account.id, clock.now())
    return next((item for item in held if item.id == subscription_id and item.live), None) or abort(404)


def _day(sent: MultiDict[str, str], name: str) -> date | None:
    try:
        [typed] = sent.getlist(name)
        return read_day(typed)
    except ValueError:
        return None
