"""What a delivery's boxes hold: the grid, cell by cell or as one form."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.compositions import queries, services
from portal.compositions.models import CompositionState
from portal.compositions.queries import Grid, ProductView
from portal.compositions.services import Cell, Refusal
from portal.deliveries import queries as deliveries
from portal.deliveries.queries import DeliveryState, DeliveryView
from portal.farm import blueprint, forms, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.packing.queries import tallies
from portal.rules.permissions import Permission
from portal.web.guards import needs
from portal.web.htmx import is_htmx, render_fragments
from portal.web.i18n import gettext as _

ADDRESS = "/paniers/<date:day>/<tour>"


@blueprint.get(ADDRESS)
@needs(Permission.COMPOSE)
def compositions(day: date, tour: str) -> ResponseReturnValue:
    delivery, grid = _load(day, tour)
    added = forms.read_products(request.args.getlist("avec"), grid)
    return _page(delivery, grid, added)


@blueprint.post(ADDRESS)
@needs(Permission.COMPOSE)
def save_composition(day: date, tour: str) -> ResponseReturnValue:
    """All cells that were typed over, or none; and a row for one product more, if asked."""
    delivery, grid = _load(day, tour)
    typed = forms.read_grid(request.form, grid)
    added = forms.read_products(request.form.getlist("avec"), grid)
    if any(entry.error for entry in typed.values()):
        return _page(delivery, grid, added, typed=typed, status=422)
    amounts = {entry.cell: entry.amount for entry in typed.values()}
    if refusal := services.set_amounts(db.session(), delivery.id, amounts, at=clock.now()):
        return _page(delivery, grid, added, typed=typed, refusal=refusal, status=422)
    if typed:
        flash(_("Les paniers sont enregistrés."), "success")
    return _back(delivery, avec=[product.id for product in added])


@blueprint.post(f"{ADDRESS}/<id:formula_id>/<id:product_id>")
@needs(Permission.COMPOSE)
def save_amount(day: date, tour: str, formula_id: int, product_id: int) -> ResponseReturnValue:
    """One cell, as soon as it is left."""
    delivery, grid = _load(day, tour)
    column = next((c for c in grid.columns if c.formula.id == formula_id), None) or abort(404)
    product = next((p for p in grid.products if p.id == product_id), None) or abort(404)
    entry = forms.read_cell(request.form, column, product)
    refusal = None
    if not entry.error:
        amounts = {entry.cell: entry.amount}
        refusal = services.set_amounts(db.session(), delivery.id, amounts, at=clock.now())
    if entry.error or refusal:
        if is_htmx():
            return _cell(delivery, grid, formula_id, product, entry, refusal=refusal, status=422)
        return _page(delivery, grid, [product], typed={entry.cell: entry}, refusal=refusal, status=422)
    if is_htmx():
        return _cell(delivery, queries.grid(db.session(), delivery), formula_id, product)
    return _back(delivery, avec=[product.id])


@blueprint.post(f"{ADDRESS}/etat")
@needs(Permission.COMPOSE)
def show_composition(day: date, tour: str) -> ResponseReturnValue:
    """Show the boxes as forecast or confirmed, or take them back to draft."""
    delivery, grid = _load(day, tour)
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
        return _page(delivery, grid, refusal=refusal, status=422)
    words = {
        CompositionState.DRAFT: _("Brouillon : les abonné·es ne voient plus ces paniers."),
        CompositionState.FORECAST: _("Les abonné·es voient maintenant ces paniers comme prévisionnels."),
        CompositionState.CONFIRMED: _("Les abonné·es voient maintenant ces paniers comme confirmés."),
    }
    flash(words[state], "success")
    return _back(delivery)


@blueprint.post(f"{ADDRESS}/copie")
@needs(Permission.COMPOSE)
def copy_composition(day: date, tour: str) -> ResponseReturnValue:
    """Fill the boxes as those of an earlier delivery; what would be lost is asked about first."""
    delivery, grid = _load(day, tour)
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
        return _page(delivery, grid, refusal=refusal, copied=source, status=422)
    flash(_("Les paniers sont copiés. Relisez-les avant de les montrer."), "success")
    return _back(delivery)


def _load(day: date, tour: str) -> tuple[DeliveryView, Grid]:
    delivery = deliveries.find(db.session(), day, tour) or abort(404)
    return delivery, queries.grid(db.session(), delivery)


def _page(
    delivery: DeliveryView,
    grid: Grid,
    added: Sequence[ProductView] = (),
    *,
    typed: Mapping[Cell, forms.Entry] | None = None,
    status: int = 200,
    **context: Any,
) -> ResponseReturnValue:
    typed = typed or {}
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
        others=[product for product in grid.products if product not in rows],
        added=[product for product in rows if product not in used],
        newest=added[-1] if added else None,
        entries=forms.merged(grid, rows, typed),
        errors=[entry for entry in typed.values() if entry.error],
        sources=queries.sources(db.session(), delivery),
        tally=tallies(db.session(), [delivery.id])[delivery.id],
        nav_current="farm.deliveries",
        **context,
    )
    return make_response(page, status)


def _cell(
    delivery: DeliveryView,
    grid: Grid,
    formula_id: int,
    product: ProductView,
    refused: forms.Entry | None = None,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    """The cell, and beside it what it counts for: the box's worth and the list of changes."""
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
    )


def _back(delivery: DeliveryView, **parameters: Any) -> ResponseReturnValue:
    address = url_for("farm.compositions", day=delivery.day, tour=delivery.tour_slug, **parameters)
    return redirect(address, 303)
