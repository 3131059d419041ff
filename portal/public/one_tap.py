"""The links of mails that skip boxes or take them back: a page without sign-in, where one press acts."""

from typing import Any

from flask import Response, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.models import Account
from portal.infra import audit, clock
from portal.infra.orm import db
from portal.planning import services
from portal.planning.taps import Tap, find_tap, tap_token, tapped_boxes
from portal.public import blueprint
from portal.public.links import expired
from portal.rules.cutoffs import local_day
from portal.web.guards import own_hands_only
from portal.web.i18n import gettext as _

ADDRESS = "/lien/panier/<tap_token>"


@blueprint.get(ADDRESS)
@own_hands_only
def tap(tap_token: str) -> ResponseReturnValue:
    """Looking changes nothing: mail scanners open links too."""
    found = find_tap(db.session(), tap_token)
    return _page(*found) if found else expired()


@blueprint.post(ADDRESS)
@own_hands_only
def tap_now(tap_token: str) -> ResponseReturnValue:
    session = db.session()
    found = find_tap(session, tap_token)
    if found is None:
        return expired()
    account, tap = found
    boxes = (tap.subscription_ids, tap.week)
    outcome = services.skip(session, account.holder, *boxes, wanted=tap.skip, by=account)
    if outcome is None:
        return expired()
    if outcome.refusal:
        return _page(account, tap, 422, result=outcome)
    for change in outcome.changed:
        said = {"week": tap.week.isoformat(), "skip": tap.skip}
        subject = ("subscription", change.after.subscription_id)
        audit.record(session, "box.tap", subject, at=clock.now(), by=account.id, after=said)
    if outcome.changed:
        flash(_("C'est noté. Un mail vous le confirme."), "success")
    return redirect(url_for("public.tap", tap_token=tap_token), 303)


def _page(account: Account, tap: Tap, status: int = 200, **context: Any) -> ResponseReturnValue:
    """The boxes as they stand, and the one act that this leaves: the link's own, or its undoing."""
    now = clock.now()
    boxes = tapped_boxes(db.session(), account, tap, now)
    if not boxes or max(box.delivery.day for box in boxes) < local_day(now):
        return expired()
    skipped = all(box.skipped for box in boxes)
    act = tap.undone if tap.skip is skipped else tap
    page = render_template(
        "public/one_tap.html",
        boxes=boxes,
        delivery=boxes[0].delivery,
        skipped=skipped,
        open=all(box.delivery.for_rules.is_open(now) for box in boxes),
        way=url_for("public.tap_now", tap_token=tap_token(account, act)),
        **context,
    )
    return _private(page, status)


def _private(page: str, status: int) -> Response:
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
