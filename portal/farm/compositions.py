"""What a delivery's boxes hold: the grid, cell by cell or as one form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.compositions import queries, seasons, services
from portal.compositions.models import CompositionState
from portal.compositions.queries import Grid, ProductView
from portal.compositions.services import Cell, Refusal
from portal.deliveries import queries as deliveries
from portal.deliveries.queries import DeliveryState, DeliveryView
from portal.farm import blueprint, forms, staff
from portal.farm.swaps import SwapForm
from portal.infra import clock
from portal.infra.orm import db
from portal.packing.queries import Tally, tallies
from portal.pickup.queries import PointView, points
from portal.rules.permissions import Permission
from portal.web.guards import needs
from portal.web.htmx import is_htmx, render_fragments
from portal.web.i18n import gettext as _

ADDRESS = "/paniers/<date:day>/<tour>"


@dataclass(frozen=True, slots=True)
class Bench:
    """A delivery's boxes as staff compose them, and how many of each are to be filled."""

    delivery: DeliveryView
    tally: Tally
    grid: Grid

    @property
    def points(self) -> list[PointView]:
        """All that the delivery serves, in the order of the round."""
        return [
            point
            for point in points(db.session())
            if self.tally.count(point=point) or (point.tour_id == self.delivery.tour_id and not point.retired)
        ]


@blueprint.get(ADDRESS)
@needs(Permission.COMPOSE)
def compositions(day: date, tour: str) -> ResponseReturnValue:
    bench = bench_or_404(day, tour)
    return bench_page(bench, forms.read_products(request.args.getlist("avec"), bench.grid))


@blueprint.post(ADDRESS)
@needs(Permission.COMPOSE)
def save_composition(day: date, tour: str) -> ResponseReturnValue:
    """All cells that were typed over, or none; and a row for one product more, if asked."""
    bench = bench_or_404(day, tour)
    delivery, grid = bench.delivery, bench.grid
    typed = forms.read_grid(request.form, grid)
    added = forms.read_products(request.form.getlist("avec"), grid)
    if any(entry.error for entry in typed.values()):
        return bench_page(bench, added, typed=typed, status=422)
    amounts = {entry.cell: entry.amount for entry in typed.values()}
    if refusal := services.set_amounts(db.session(), delivery.id, amounts, at=clock.now()):
        return bench_page(bench, added, typed=typed, refusal=refusal, status=422)
    if typed:
        flash(_("Les paniers sont enregistrés."), "success")
    return back_to_bench(delivery, avec=[product.id for product in added])


@blueprint.post(f"{ADDRESS}/<id:formula_id>/<id:product_id>")
@needs(Permission.COMPOSE)
def save_amount(day: date, tour: str, formula_id: int, product_id: int) -> ResponseReturnValue:
    """One cell, as soon as it is left."""
    bench = bench_or_404(day, tour)
    delivery, grid = bench.delivery, bench.grid
    column = next((c for c in grid.columns if c.formula.id == formula_id), None) or abort(404)
    product = next((p for p in grid.products if p.id == product_id), None) or abort(404)
    entry = forms.read_cell(request.form, column, product)
    refusal = None
    if not entry.error:
        amounts = {entry.cell: entry.amount}
        refusal = services.set_amounts(db.session(), delivery.id, amounts, at=clock.now())
    if entry.error or refusal:
        if is_htmx():
            return _cell(bench, formula_id, product, entry, refusal=refusal, status=422)
        return bench_page(bench, [product], typed={entry.cell: entry}, refusal=refusal, status=422)
    if is_htmx():
        return _cell(replace(bench, grid=_grid(delivery, bench.tally)), formula_id, product)
    return back_to_bench(delivery, avec=[product.id])


@blueprint.post(f"{ADDRESS}/etat")
@needs(Permission.COMPOSE)
def show_composition(day: date, tour: str) -> ResponseReturnValue:
    """Show the boxes as forecast or confirmed, or take them back to draft."""
    bench = bench_or_404(day, tour)
    delivery, grid = bench.delivery, bench.grid
    try:
        state = CompositionState(request.form.get("state", ""))
    except ValueError:
        abort(400)
    ids = {str(column.formula.id): column.formula.id for column in grid.columns}
    chosen = request.form.get("formula", "")
    if chosen and chosen not in ids:
        abort(400)
    refusal = services.set_state(
        db.session(),
        delivery.id,
        state,
        [ids[chosen]] if chosen else None,
        at=clock.now(),
        by=staff().id,
    )
    if refusal:
        return bench_page(bench, refusal=refusal, status=422)
    words = {
        CompositionState.DRAFT: _("Brouillon : les abonné·es ne voient plus ces paniers."),
        CompositionState.FORECAST: _("Les abonné·es voient maintenant ces paniers comme prévisionnels."),
        CompositionState.CONFIRMED: _("Les abonné·es voient maintenant ces paniers comme confirmés."),
    }
    flash(words[state], "success")
    return back_to_bench(delivery)


@blueprint.post(f"{ADDRESS}/copie")
@needs(Permission.COMPOSE)
def copy_composition(day: date, tour: str) -> ResponseReturnValue:
    """Fill the boxes as those of an earlier delivery; what would be lost is asked about first."""
    bench = bench_or_404(day, tour)
    delivery = bench.delivery
    chosen = request.form.get("source", "")
    source = next((s for s in queries.sources(db.session(), delivery) if str(s.id) == chosen), None)
    if source is None:
        abort(400)
    refusal = services.copy(
        db.session(),
        source.id,
        delivery.id,
        replace=request.form.get("replace") == "yes",
        at=clock.now(),
        by=staff().id,
    )
    if refusal:
        return bench_page(bench, refusal=refusal, copied=source, status=422)
    flash(_("Les paniers sont copiés. Relisez-les avant de les montrer."), "success")
    return back_to_bench(delivery)


@blueprint.get(f"{ADDRESS}/semaines/<id:formula_id>")
@needs(Permission.COMPOSE)
def past_boxes(day: date, tour: str, formula_id: int) -> ResponseReturnValue:
    """What a formula's boxes held in the past weeks, against repetition."""
    bench = bench_or_404(day, tour)
    column = next((c for c in bench.grid.columns if c.formula.id == formula_id), None) or abort(404)
    return render_template(
        "farm/compositions/weeks.html",
        delivery=bench.delivery,
        grid=bench.grid,
        formula=column.formula,
        history=seasons.history(db.session(), bench.delivery, formula_id),
        nav_current="farm.deliveries",
    )


def bench_or_404(day: date, tour: str) -> Bench:
    session = db.session()
    delivery = deliveries.find(session, day, tour) or abort(404)
    tally = tallies(session, [delivery.id])[delivery.id]
    return Bench(delivery, tally, _grid(delivery, tally))


def _grid(delivery: DeliveryView, tally: Tally) -> Grid:
    return queries.grid(db.session(), delivery, {formula_id for formula_id, _ in tally.boxes})


def bench_page(
    bench: Bench,
    added: Sequence[ProductView] = (),
    *,
    typed: Mapping[Cell, forms.Entry] | None = None,
    status: int = 200,
    swap_form: SwapForm | None = None,
    **context: Any,
) -> ResponseReturnValue:
    typed = typed or {}
    session, delivery, grid = db.session(), bench.delivery, bench.grid
    kept = {cell.product_id for cell in typed}
    used = grid.used()
    rows = [*used, *(p for p in grid.products if (p in added or p.id in kept) and p not in used)]
    state = delivery.state(clock.now())
    page = render_template(
        "farm/compositions/page.html",
        delivery=delivery,
        state=state,
        done=state is DeliveryState.DONE,
        grid=grid,
        rows=rows,
        others=[product for product in grid.products if product not in rows and not product.retired],
        added=[product for product in rows if product not in used],
        newest=added[-1] if added else None,
        entries=forms.merged(grid, rows, typed),
        errors=[entry for entry in typed.values() if entry.error],
        sources=queries.sources(session, delivery),
        tally=bench.tally,
        balances=seasons.balances(session, delivery),
        exclusions=queries.exclusions(session, delivery.id),
        points=bench.points,
        swap_form=swap_form or SwapForm(None, grid, bench.points),
        nav_current="farm.deliveries",
        **context,
    )
    return make_response(page, status)


def _cell(
    bench: Bench,
    formula_id: int,
    product: ProductView,
    refused: forms.Entry | None = None,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    """The cell, and beside it what it counts for: the box's worth and the list of changes."""
    delivery, grid = bench.delivery, bench.grid
    column = next(column for column in grid.columns if column.formula.id == formula_id)
    return render_fragments(
        "farm/compositions/_answer.html",
        status=status,
        delivery=delivery,
        grid=grid,
        column=column,
        product=product,
        entry=refused or forms.saved_entry(column, product),
        refusal=refusal,
        balances=seasons.balances(db.session(), delivery),
    )


def back_to_bench(delivery: DeliveryView, **parameters: Any) -> ResponseReturnValue:
    address = url_for("farm.compositions", day=delivery.day, tour=delivery.tour_slug, **parameters)
    return redirect(address, 303)
