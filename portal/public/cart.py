"""The order that somebody is filling: what is in it, where it goes, its voucher."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import Form

from portal.accounts.limits import count_try
from portal.infra import clock
from portal.infra.orm import db
from portal.infra.throttle import Limit
from portal.pickup.queries import PointView, offered_points
from portal.public import blueprint
from portal.public.buyers import buyer, other_orders, own_draft, own_keeper
from portal.rules import selling
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.shop import carts, checkout
from portal.shop.carts import Put
from portal.shop.drafts import Draft
from portal.shop.travel import Stop, box_stops, point_stops
from portal.shop.vouchers import Reduction, normalise_code, reduction
from portal.web.forms import Typed, line, whole
from portal.web.guards import is_on_this_site
from portal.web.htmx import is_htmx, render_fragments
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.limits import client_address

CODES_OF_CLIENT = Limit("voucher codes of a client", 30, timedelta(hours=1))
SHOPPING = frozenset({
    "public.shop", "public.article", "public.cart_delivery", "public.checkout", "member.home", "member.orders",
    "member.order", "member.wishes",
})  # fmt: skip
"""The pages on which somebody who is signed in is told how much is in the order."""

_MOST_ID = 10**9 - 1
_STOP = re.compile(r"([1-9][0-9]{0,8})-([1-9][0-9]{0,8})", re.ASCII)


class PutForm(Form):
    """So much of an article is wanted; `shown` is the price, in cents, that stood beside it."""

    article = Typed(_l("Produit"), whole(1, _MOST_ID))
    quantity = Typed(_l("Quantité"), whole(0, selling.MOST_GRAMS))
    shown = Typed(_l("Prix"), whole(0, _MOST_ID), name="prix", needed=False)


class VoucherForm(Form):
    code = Typed(_l("Bon d'achat"), lambda text: normalise_code(line(40)(text)), name="bon", needed=False)


@blueprint.app_template_global()
def cart_count() -> int:
    """How many articles are in the order, where the page says so: asking costs nothing on other pages."""
    asked = not current_user.is_authenticated or request.endpoint in SHOPPING
    return len(own_draft().entries) if asked else 0


@blueprint.get("/ma-commande")
def cart() -> ResponseReturnValue:
    return _page(own_draft())


def _page(draft: Draft, status: int = 200, **context: Any) -> ResponseReturnValue:
    summary = checkout.summary(db.session(), draft, buyer(), clock.now())
    context = {
        "cart": summary.cart,
        "summary": summary,
        "form": VoucherForm(data={"code": draft.voucher}),
        "count": len(draft.entries),
        "others": other_orders(summary.cart.stop),
        "by_voucher": request.endpoint == "public.cart_voucher",
        **context,
    }
    if is_htmx() and request.method == "POST":
        return render_fragments("public/cart/_answer.html", status=status, **context)
    return make_response(render_template("public/cart/page.html", **context), status)


# What is in it


@blueprint.post("/ma-commande/produits")
def put_in_cart() -> ResponseReturnValue:
    """From the cart itself or from a shelf, which then gets its own piece of the page."""
    sent = request.form.copy()
    sent.setdefault("prix", "")  # a shelf shows today's
    form = PutForm(sent)
    if not form.validate():
        return _page(own_draft(), 422, problems=_problems(form))
    keeper, person = own_keeper(), buyer()
    draft = keeper.hold(clock.now())
    done = carts.put(
        db.session(),
        draft,
        person,
        now := clock.now(),
        article_id=form.article.data,
        quantity=form.quantity.data,
        shown=None if form.shown.data is None else Money(form.shown.data),
    )
    if done is None:
        abort(404)
    if done.draft != draft and not done.refusal:
        keeper.save(done.draft, now)
    back = request.form.get("retour", "")
    if not is_on_this_site(back) or back == url_for("public.cart"):
        return _answer(done)
    return _answer_shelf(done, back)


def _problems(form: Form) -> list[tuple[str, str]]:
    return [("error", problem) for problems in form.errors.values() for problem in problems]


def _answer(done: Put) -> ResponseReturnValue:
    if not (done.refusal or is_htmx()):
        return redirect(url_for("public.cart"), 303)
    return _page(done.draft, 422 if done.refusal else 200, put=done)


def _answer_shelf(done: Put, back: str) -> ResponseReturnValue:
    if is_htmx():
        summary = checkout.summary(db.session(), done.draft, buyer(), clock.now())
        return render_fragments(
            "public/cart/_put.html",
            status=422 if done.refusal else 200,
            put=done,
            back=back,
            cart=summary.cart,
            gap=summary.gap,
            count=len(done.draft.entries),
        )
    if done.refusal:
        return _page(done.draft, 422, put=done, back=back)
    return redirect(f"{back}#quantite-{done.offer.article.id}", 303)


# Where it goes


@blueprint.route("/ma-commande/retrait", methods=["GET", "POST"])
def cart_delivery() -> ResponseReturnValue:
    """Choose among the deliveries that bring a box; or a point, then one of its dates."""
    if request.method == "POST":
        return _choose()
    return _delivery_page()


def _choose() -> ResponseReturnValue:
    wanted = _STOP.fullmatch(request.form.get("retrait", ""))
    if wanted is None:
        return _delivery_page(422)
    keeper = own_keeper()
    draft = keeper.hold(now := clock.now())
    delivery_id, point_id = map(int, wanted.groups())
    chosen = carts.choose(
        db.session(), draft, buyer(), clock.now(), delivery_id=delivery_id, point_id=point_id
    )
    if chosen is None:
        return _delivery_page(422)
    if chosen != draft:
        keeper.save(chosen, now)
    return redirect(url_for("public.cart"), 303)


def _delivery_page(status: int = 200) -> ResponseReturnValue:
    session, now, person = db.session(), clock.now(), buyer()
    points = offered_points(session)
    draft = own_draft()
    present, lost = carts.place(session, draft, person, now)
    point = _point(points, request.values.get("point", ""), present)
    dates = point_stops(session, point, now) if point else []
    if is_htmx() and request.method == "GET":
        return render_fragments(
            "public/cart/_dates.html", point=point, dates=dates, present=None if lost else present
        )
    page = render_template(
        "public/cart/delivery.html",
        boxes=box_stops(session, person.account_id, now) if person.account_id else [],
        points=points,
        point=point,
        dates=dates,
        present=None if lost else present,
        refused=status == 422,
    )
    return make_response(page, status)


def _point(points: list[PointView], asked: str, present: Stop | None) -> PointView | None:
    """The point whose dates are shown: the one asked for, else where the order goes alone."""
    if not asked and present and not present.with_box:
        asked = str(present.point.id)
    return next((point for point in points if str(point.id) == asked), None)


# Its voucher


@blueprint.post("/ma-commande/bon")
def cart_voucher() -> ResponseReturnValue:
    """Use a voucher; none where the field is empty."""
    form = VoucherForm(request.form)
    if not form.validate():
        return _page(own_draft(), 422, form=form)
    code = form.code.data
    if code and count_try((CODES_OF_CLIENT, client_address()), now=clock.now())[0].exceeded:
        return _page(own_draft(), 429, form=form, problems=[("error", _("Trop d'essais : attendez un peu."))])
    keeper = own_keeper()
    draft = keeper.hold(clock.now())
    found = _reduction(draft, code) if code else None
    if found and found.refusal:
        return _page(draft, 422, form=form, reduction=found)
    after = replace(draft, voucher=code)
    if after != draft:
        keeper.save(after, clock.now())
    return _page(after) if is_htmx() else redirect(url_for("public.cart"), 303)


def _reduction(draft: Draft, code: str) -> Reduction:
    session, now, person = db.session(), clock.now(), buyer()
    total = carts.cart(session, replace(draft, voucher=None), person, now).subtotal
    return reduction(session, code, total=total, day=local_day(now), person=person)
