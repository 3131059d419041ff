"""« Est-ce bien vous ? »: who is signed in shows it again, before what matters is changed."""

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts import proofs
from portal.accounts.forms import CurrentPasswordForm
from portal.infra import clock
from portal.infra.throttle import Count
from portal.member import blueprint, member
from portal.web.guards import is_on_this_site, own_hands_only
from portal.web.limits import too_many


@blueprint.route("/mon-compte/preuve", methods=["GET", "POST"])
@own_hands_only
def prove() -> ResponseReturnValue:
    form, now = CurrentPasswordForm(request.form), clock.now()
    if request.method != "POST":
        return redirect(_way_on(), 303) if proofs.is_proven(now) else _page(form)
    if not form.validate():
        return _page(form, 422)
    wrong = proofs.try_password(member(), form.password, at=now)
    if wrong is not None:
        return _refuse(form, wrong)
    proofs.note(member(), at=now)
    return redirect(_way_on(), 303)


def _refuse(form: CurrentPasswordForm, count: Count) -> Response:
    if count.used_up:
        return too_many(lambda minutes: _page(form, 429, minutes=minutes), count, now=clock.now())
    return _page(form, 422)


def _way_on() -> str:
    wanted = request.args.get("next", "")
    return wanted if is_on_this_site(wanted) else url_for("member.account")


def _page(form: CurrentPasswordForm, status: int = 200, **context: object) -> Response:
    page = render_template("member/security/prove.html", form=form, member=member(), **context)
    return make_response(page, status)
