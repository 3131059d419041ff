"""Orders at the scale, and what is short of: who gets how much, and what instead."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form

from portal.catalogue.articles import Offer, on_sale
from portal.deliveries.queries import DeliveryView
from portal.farm import blueprint, staff
from portal.farm.orders import OF_DELIVERY, back_to, delivery_or_404
from portal.infra import clock
from portal.infra.orm import db
from portal.rules.amounts import AmountRefusal
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.orders import Refusal
from portal.rules.permissions import Permission
from portal.rules.preparing import fair_shares, is_far, read_weight, write_weight
from portal.rules.selling import SaleUnit, why_missing
from portal.rules.vouchers import Terms, discount_on
from portal.shop import preparing, queries
from portal.shop.preparing import AT_THE_SCALE, SHORT_OF, Shortage, can_fill, fills, given
from portal.shop.travel import journey
from portal.shop.views import OrderLineView, OrderView
from portal.shop.vouchers import used_for
from portal.web.forms import Typed, prose, whole
from portal.web.guards import needs
from portal.web.htmx import is_htmx, render_fragments
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import ngettext

SHORTAGE = f"{OF_DELIVERY}/manque/<id:article_id>"
MOST = 100_000


@dataclass(frozen=True, slots=True)
class Weighed:
    """A line at the scale: what is typed for it, and what is wrong with that."""

    order: OrderView
    line: OrderLineView
    text: str
    error: AmountRefusal | None = None

    @property
    def far(self) -> bool:
        return self.line.given is not None and is_far(self.line.quantity, self.line.given)


@blueprint.get(f"{OF_DELIVERY}/pesee")
@needs(Permission.ORDERS)
def weighing(day: date, tour: str) -> ResponseReturnValue:
    delivery = delivery_or_404(day, tour)
    return _weighing_page(delivery, _at_the_scale(delivery))


@blueprint.post(f"{OF_DELIVERY}/pesee")
@needs(Permission.ORDERS)
def weigh(day: date, tour: str) -> ResponseReturnValue:
    """All weights that were typed over, or none."""
    delivery = delivery_or_404(day, tour)
    rows = _at_the_scale(delivery)
    typed = {n: row for n, row in rows.items() if _text(n) not in {None, request.form.get(f"etait-{n}", "")}}
    read = {n: read_weight(_text(n) or "") for n in typed}
    errors = {n: error for n, error in read.items() if isinstance(error, AmountRefusal)}
    weights = {n: grams for n, grams in read.items() if not isinstance(grams, AmountRefusal)}
    refusal = None if errors else preparing.weigh(db.session(), delivery.id, weights, by=staff().id)
    if errors or refusal:
        kept = {n: replace(row, text=_text(n) or "", error=errors.get(n)) for n, row in typed.items()}
        return _weighing_page(delivery, rows | kept, refusal=refusal, status=422)
    if weights:
        flash(_("Les poids sont enregistrés, les prix suivent."), "success")
    return redirect(url_for("farm.weighing", day=delivery.day, tour=delivery.tour_slug), 303)


@blueprint.post(f"{OF_DELIVERY}/pesee/<id:line_id>")
@needs(Permission.ORDERS)
def weigh_line(day: date, tour: str, line_id: int) -> ResponseReturnValue:
    """One weight, as soon as its field is left."""
    delivery = delivery_or_404(day, tour)
    rows = _at_the_scale(delivery)
    row, text = rows.get(line_id) or abort(404), _text(line_id)
    grams = AmountRefusal.NOT_A_NUMBER if text is None else read_weight(text)
    error = grams if isinstance(grams, AmountRefusal) else None
    refusal = None
    if not isinstance(grams, AmountRefusal):
        refusal = preparing.weigh(db.session(), delivery.id, {line_id: grams}, by=staff().id)
    if error or refusal:
        rows[line_id] = replace(row, text=text or "", error=error)
        return _weighed(delivery, rows, line_id, refusal=refusal, status=422)
    db.session().flush()
    return _weighed(delivery, _at_the_scale(delivery), line_id)


def _at_the_scale(delivery: DeliveryView) -> dict[int, Weighed]:
    """What of a delivery is sold by weight, article by article: line → how it stands."""
    rows = [
        Weighed(order, line, write_weight(line.given))
        for order in queries.orders_for(db.session(), delivery.id)
        for line in order.lines
        if order.state in AT_THE_SCALE and line.sale_unit is SaleUnit.WEIGHT
        if line.quantity and not line.kept_back
    ]
    rows.sort(key=lambda row: (row.line.name, row.line.article_id, row.order.point.position, row.order.id))
    return {row.line.id: row for row in rows}


def _text(line_id: int) -> str | None:
    """What was typed; two weights are none."""
    typed = request.form.getlist(f"poids-{line_id}")
    return " / ".join(typed) if typed else None


def _weighing_page(
    delivery: DeliveryView, rows: Mapping[int, Weighed], *, status: int = 200, **context: Any
) -> ResponseReturnValue:
    by_article: dict[int, list[Weighed]] = {}
    for row in rows.values():
        by_article.setdefault(row.line.article_id, []).append(row)
    page = render_template(
        "farm/orders/weighing.html",
        delivery=delivery,
        state=delivery.state(clock.now()),
        articles=by_article.values(),
        errors=[row for row in rows.values() if row.error],
        to_weigh=_to_weigh(rows),
        nav_current="farm.orders",
        **context,
    )
    return make_response(page, status)


def _weighed(
    delivery: DeliveryView, rows: Mapping[int, Weighed], line_id: int, *, status: int = 200, **context: Any
) -> ResponseReturnValue:
    """The field, and beside it the price and how much is left to do."""
    if not is_htmx():
        if status == 200:
            return redirect(url_for("farm.weighing", day=delivery.day, tour=delivery.tour_slug), 303)
        return _weighing_page(delivery, rows, status=status, **context)
    return render_fragments(
        "farm/orders/_weighed.html",
        status=status,
        delivery=delivery,
        row=rows[line_id],
        to_weigh=_to_weigh(rows),
        **context,
    )


def _to_weigh(rows: Mapping[int, Weighed]) -> int:
    return sum(row.line.given is None for row in rows.values())


class ShortageForm(Form):
    reason = Typed(_l("Ce que chacun·e lira"), prose(300))


@dataclass(frozen=True, slots=True)
class Share:
    """A line that is concerned: what it is to get as it was typed, and what its order then comes to."""

    order: OrderView
    line: OrderLineView
    text: str
    quantity: int
    error: str | None
    gap: int
    after: Money

    @property
    def changes(self) -> bool:
        return self.quantity != self.line.paid or self.after != self.order.total


@dataclass(frozen=True, slots=True)
class Sharing:
    """Who gets how much of what is short, and what may replace it; `wanted` is the replacement as it was named."""

    delivery: DeliveryView
    article: OrderLineView
    shares: list[Share]
    fillers: dict[str, Offer]
    wanted: str
    left_error: str | None

    @property
    def filler(self) -> Offer | None:
        return self.fillers.get(self.wanted)


@blueprint.get(SHORTAGE)
@needs(Permission.ORDERS)
def shortage(day: date, tour: str, article_id: int) -> ResponseReturnValue:
    """What there is, shared out as a proposal; then what it comes to for each."""
    found = _sharing(delivery_or_404(day, tour), article_id)
    form = ShortageForm()
    form.reason.data = _("Il nous manque un produit : %(name)s.", name=found.article.name)
    return _shortage_page(found, form)


@blueprint.post(SHORTAGE)
@needs(Permission.ORDERS)
def settle_shortage(day: date, tour: str, article_id: int) -> ResponseReturnValue:
    delivery, form = delivery_or_404(day, tour), ShortageForm(request.form)
    found = _sharing(delivery, article_id)
    if not form.validate() or any(share.error for share in found.shares):
        return _shortage_page(found, form, status=422)
    if found.wanted and not found.filler:
        return _shortage_page(found, form, status=422, refusal=Refusal.NOTHING_LEFT)
    shares = {share.line.id: share.quantity for share in found.shares}
    instead_id = found.filler.article.id if found.filler else None
    short = Shortage(article_id, shares, instead_id, form.reason.data)
    outcome = preparing.settle_shortage(db.session(), delivery.id, short, by=staff().id)
    if outcome.refusal:
        return _shortage_page(found, form, status=422, refusal=outcome.refusal)
    said = ngettext(
        "Une commande change, un mail part.",
        "%(n)s commandes changent, autant de mails partent.",
        outcome.changed,
    )
    flash(said if outcome.changed else _("C'était déjà fait : rien n'a changé."), "success")
    return back_to(delivery)


def _sharing(delivery: DeliveryView, article_id: int) -> Sharing:
    concerned = _concerned(delivery, article_id) or abort(404)
    present = _present_filler(concerned)
    fillers, wanted = _fillers(delivery, concerned, present), request.values.get("remplacement", present)
    left, left_error = _read_left(concerned[0][1])
    shares = _shares(concerned, fillers.get(wanted), left)
    return Sharing(delivery, concerned[0][1], shares, fillers, wanted, left_error)


def _shortage_page(
    found: Sharing, form: ShortageForm, *, status: int = 200, refusal: Refusal | None = None
) -> ResponseReturnValue:
    page = render_template(
        "farm/orders/shortage.html",
        delivery=found.delivery,
        state=found.delivery.state(clock.now()),
        shares=found.shares,
        article=found.article,
        fillers=found.fillers,
        filler=found.filler,
        left=request.values.get("reste", ""),
        left_error=found.left_error,
        form=form,
        refusal=refusal,
        nav_current="farm.orders",
    )
    return make_response(page, status)


def _concerned(delivery: DeliveryView, article_id: int) -> list[tuple[OrderView, OrderLineView]]:
    """In the order in which they came."""
    return [
        (order, line)
        for order in queries.orders_for(db.session(), delivery.id)
        for line in order.lines
        if order.state in SHORT_OF and line.article_id == article_id
        if line.quantity and not line.kept_back
    ]


def _fillers(
    delivery: DeliveryView, concerned: list[tuple[OrderView, OrderLineView]], present: str
) -> dict[str, Offer]:
    """What can replace it for everybody, as the page writes it. Who has not asked for alcohol is given none."""
    line, now = min((line for _, line in concerned), key=lambda line: line.unit_price), clock.now()
    offered = on_sale(db.session(), local_day(now), delivery_id=delivery.id)
    alcohol = any(offer.article.alcohol for offer in offered if offer.article.id == line.article_id)
    on_board = replace(journey(delivery), cutoff_at=max(delivery.cutoff_at, now + timedelta(minutes=1)))
    return {
        str(offer.article.id): offer
        for offer in offered
        if (
            str(offer.article.id) == present
            or (
                (alcohol or not offer.article.alcohol)
                and not why_missing(offer.goods, on_board, now, left=offer.left)
            )
        )
        and can_fill(offer, article_id=line.article_id, sale_unit=line.sale_unit, unit_price=line.unit_price)
    }


def _present_filler(concerned: list[tuple[OrderView, OrderLineView]]) -> str:
    """What stands in for it by now."""
    present = {
        str(other.article_id)
        for order, line in concerned
        for other in order.lines
        if other.instead_of_id == line.id
    }
    return present.pop() if len(present) == 1 else ""


def _read_left(line: OrderLineView) -> tuple[int | None, str | None]:
    """How much there is, where it is asked to be shared out."""
    text = request.args.get("reste", "").strip()
    if "partager" not in request.args:
        return None, None
    return _read_quantity(text, line, MOST)


def _read_quantity(text: str, line: OrderLineView, most: int) -> tuple[int | None, str | None]:
    if line.sale_unit is SaleUnit.WEIGHT:
        grams = read_weight(text)
        if grams is None or isinstance(grams, AmountRefusal) or grams > most:
            return None, _("un poids jusqu'à %(most)s kg, comme 0,480.", most=write_weight(most))
        return grams, None
    try:
        return whole(0, most)(text.strip()), None
    except ValueError as error:
        return None, str(error)


def _shares(
    concerned: list[tuple[OrderView, OrderLineView]], filler: Offer | None, left: int | None
) -> list[Share]:
    lines = [line for _, line in concerned]
    proposed = (
        fair_shares([line.quantity for line in lines], left, lines[0].step or 1) if left is not None else []
    )
    terms = used_for(db.session(), [order.id for order, _ in concerned])
    shares = []
    for place, (order, line) in enumerate(concerned):
        enough = not proposed or proposed[place] == line.quantity < line.paid
        text = _write(line, line.paid if enough else proposed[place])
        if not proposed:
            typed = request.values.getlist(f"ligne-{line.id}") or [text]
            text = typed[0] if len(typed) == 1 else ""
        quantity, error = _read_quantity(text, line, max(line.quantity, line.paid))
        share = line.paid if quantity is None else quantity
        gap = fills(line, share, filler)
        after = _total(order, line, share, filler=filler, gap=gap, voucher=terms.get(order.id))
        shares.append(Share(order, line, text, share, error, gap, after))
    return shares


def _write(line: OrderLineView, quantity: int) -> str:
    return write_weight(quantity) if line.sale_unit is SaleUnit.WEIGHT else str(quantity)


def _total(
    order: OrderView,
    line: OrderLineView,
    share: int,
    *,
    filler: Offer | None,
    gap: int,
    voucher: Terms | None,
) -> Money:
    """What the order would come to; a filler is counted as what it replaces."""
    lines = [
        replace(other, given=given(line, share)) if other.id == line.id else other
        for other in order.lines
        if other.instead_of_id != line.id
    ]
    price = filler.article.price if filler else None
    if price is not None and gap:
        lines.append(replace(line, quantity=gap, given=None, unit_price=price))
    after = replace(order, lines=tuple(lines))
    if voucher:
        after = replace(after, discount=discount_on(voucher, order.ordered, after.subtotal))
    return after.total
