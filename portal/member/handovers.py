"""A box that one cannot collect: somebody else does, or the farm's partner has it."""

from datetime import date, timedelta

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form
from wtforms.widgets import EmailInput

from portal.accounts.acting import mailed
from portal.accounts.limits import count_try
from portal.boxes.models import HandoverKind
from portal.infra import clock
from portal.infra.orm import db
from portal.infra.throttle import Limit
from portal.member import blueprint, hands, holder
from portal.member.deliveries import delivery_page
from portal.planning import handovers
from portal.planning.handovers import Answer, Spot, Wish
from portal.rules.handovers import HandoverRefusal
from portal.web.forms import Typed, email, line
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

ADDRESS = "/livraisons/<date:day>/<tour>/<id:point_id>/remise"
OF_ACCOUNT = Limit("boxes handed over by an account", 10, timedelta(hours=1))

REFUSED = {
    HandoverRefusal.STILL_OPEN: _l(
        "Cette livraison est encore ouverte : vous pouvez sauter ou reporter le panier."
    ),
    HandoverRefusal.OVER: _l("Trop tard : le point de retrait est ouvert, ou il a déjà fermé."),
}


class HandoverForm(Form):
    name = Typed(_l("Qui passe ?"), line(160), name="nom")
    email = Typed(_l("Son adresse e-mail"), email, name="email", needed=False, widget=EmailInput())


@blueprint.post(ADDRESS)
def hand_over(day: date, tour: str, point_id: int) -> ResponseReturnValue:
    given, form = request.form.getlist("partenaire") == ["oui"], HandoverForm(request.form)
    if not given and not form.validate():
        return delivery_page(day, tour, 422, form=form, form_of=point_id)
    [count] = count_try((OF_ACCOUNT, str(holder().id)), now=clock.now())
    if count.exceeded:
        return delivery_page(
            day, tour, 429, refused=_("Trop de changements en peu de temps : réessayez dans une heure.")
        )
    wish = Wish(HandoverKind.PARTNER) if given else Wish(HandoverKind.PERSON, form.name.data, form.email.data)
    outcome = handovers.hand_over(db.session(), holder(), Spot(day, tour, point_id), wish, by=hands())
    return _answer(outcome, day, tour, _("C'est noté. %(mailed)s", mailed=mailed()))


@blueprint.post(f"{ADDRESS}/annulation")
def take_back(day: date, tour: str, point_id: int) -> ResponseReturnValue:
    outcome = handovers.take_back(db.session(), holder(), Spot(day, tour, point_id), by=hands())
    return _answer(outcome, day, tour, _("Le panier est de nouveau pour vous. %(mailed)s", mailed=mailed()))


def _answer(outcome: Answer | HandoverRefusal | None, day: date, tour: str, done: str) -> ResponseReturnValue:
    if outcome is None:
        abort(404)
    if isinstance(outcome, HandoverRefusal):
        return delivery_page(day, tour, 422, refused=REFUSED[outcome])
    flash(done if outcome is Answer.DONE else _("C'était déjà fait."), "success")
    return redirect(url_for("member.delivery", day=day, tour=tour), 303)
