"""A product runs short: which boxes hold it, which go without, what comes instead, and who is told."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from flask import abort, flash, make_response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from wtforms import Form

from portal.boxes.carried import PackedBox, packing
from portal.catalogue.queries import FormulaView
from portal.compositions import queries, services
from portal.compositions.queries import ProductView
from portal.compositions.services import Refusal, Shortage
from portal.deliveries.queries import DeliveryState
from portal.farm import blueprint, staff
from portal.farm.compositions import ADDRESS, Bench, back_to_bench, bench_or_404
from portal.farm.swaps import fillers, read_positive
from portal.infra import clock
from portal.infra.orm import db
from portal.pickup.queries import PointView
from portal.rules.amounts import equal_worth, write_amount
from portal.rules.contents import at_point
from portal.rules.permissions import Permission
from portal.web.forms import Chosen, ChosenMany, Typed, choices, prose
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

SHORTAGE = f"{ADDRESS}/manque/<id:product_id>"


@dataclass(frozen=True)
class Lacking:
    """The boxes of a delivery that hold a product: how much of it each, and who receives them."""

    bench: Bench
    product: ProductView
    held: Mapping[tuple[int, int], int]
    packed: Collection[PackedBox]

    @cached_property
    def formulas(self) -> list[FormulaView]:
        ids = {formula_id for formula_id, _ in self.held}
        return [column.formula for column in self.bench.grid.columns if column.formula.id in ids]

    @cached_property
    def points(self) -> list[PointView]:
        ids = {point_id for _, point_id in self.held}
        return [point for point in self.bench.points if point.id in ids]

    @property
    def by_formula(self) -> dict[int, int]:
        every = [point.id for point in self.points]
        return {formula.id: self.boxes([formula.id], every) for formula in self.formulas}

    @property
    def by_point(self) -> dict[int, int]:
        every = [formula.id for formula in self.formulas]
        return {point.id: self.boxes(every, [point.id]) for point in self.points}

    def boxes(self, formula_ids: Collection[int], point_ids: Collection[int]) -> int:
        return sum(box.quantity for box in self._of(formula_ids, point_ids))

    def people(self, formula_ids: Collection[int], point_ids: Collection[int]) -> int:
        return len({box.account_id for box in self._of(formula_ids, point_ids)})

    def told(self, formula_ids: Collection[int], point_ids: Collection[int]) -> int:
        """Of those people, who was shown what their box would hold."""
        shown = {column.formula.id for column in self.bench.grid.columns if column.shown}
        return self.people(shown.intersection(formula_ids), point_ids)

    def _of(self, formula_ids: Collection[int], point_ids: Collection[int]) -> list[PackedBox]:
        return [
            box
            for box in self.packed
            if box.formula_id in formula_ids
            and box.pickup_point_id in point_ids
            and (box.formula_id, box.pickup_point_id) in self.held
        ]


class ShortageForm(Form):
    """Which boxes go without it, and what comes instead; how much of that is asked formula by formula."""

    formulas = ChosenMany(_l("Formules"), name="formule")
    points = ChosenMany(_l("Points de retrait"), name="point")
    instead = Chosen(_l("À la place"), name="remplacement")
    note = Typed(_l("Pourquoi"), prose(300), name="pourquoi", needed=False)

    def __init__(self, sent: Mapping[str, str] | None, found: Lacking) -> None:
        self._found = found
        self.amounts: dict[int, int] = {}
        self.typed: dict[int, str] = {}
        self.amount_errors: dict[int, str] = {}
        every = {
            "formulas": [formula.id for formula in found.formulas],
            "points": [point.id for point in found.points],
        }
        super().__init__(sent, data={**every, "instead": 0})

    def process(self, *args: object, **values: object) -> None:
        found = self._found
        self.formulas.choices = choices((formula.id, formula.name) for formula in found.formulas)
        self.points.choices = choices((point.id, point.name) for point in found.points)
        self.instead.choices = choices(fillers(found.bench.grid.products, found.product.id))
        super().process(*args, **values)

    @property
    def filler(self) -> ProductView | None:
        products = self._found.bench.grid.products
        return next((product for product in products if product.id == self.instead.data), None)

    def amount_name(self, formula_id: int) -> str:
        """Another product is asked for anew."""
        return f"quantite-{self.instead.data}-{formula_id}"

    def read_amounts(self, sent: MultiDict[str, str]) -> bool:
        """What each formula's box gets instead: as typed, or as much as what is missing is worth."""
        filler, lost = self.filler, self._found
        if filler is None:
            return True
        for formula_id in self.formulas.data:
            missing = max(amount for (other, _), amount in lost.held.items() if other == formula_id)
            proposed = equal_worth(
                missing,
                (lost.product.value, lost.product.measure),
                (filler.value, filler.measure),
            )
            typed = sent.getlist(self.amount_name(formula_id)) or [write_amount(proposed, filler.measure)]
            self.typed[formula_id] = typed[0] if len(typed) == 1 else ""
            try:
                self.amounts[formula_id] = read_positive(self.typed[formula_id], filler.measure)
            except ValueError as error:
                self.amount_errors[formula_id] = str(error)
        return not self.amount_errors


@blueprint.get(SHORTAGE)
@needs(Permission.COMPOSE, Permission.PACK)
def box_shortage(day: date, tour: str, product_id: int) -> ResponseReturnValue:
    """Which boxes hold it; then, with what is chosen, what it comes to."""
    found = _lacking(bench_or_404(day, tour), product_id)
    chosen = "remplacement" in request.args
    form = ShortageForm(request.args | {"pourquoi": ""} if chosen else None, found)
    ready = chosen and form.validate() and form.read_amounts(request.args)
    return _page(found, form, previewed=ready)


@blueprint.post(SHORTAGE)
@needs(Permission.COMPOSE, Permission.PACK)
def go_without(day: date, tour: str, product_id: int) -> ResponseReturnValue:
    found = _lacking(bench_or_404(day, tour), product_id)
    bench, form = found.bench, ShortageForm(request.form, found)
    if not found.held and bench.delivery.state(clock.now()) is not DeliveryState.DONE:
        flash(_("C'était déjà fait : aucun panier n'en contient."), "success")
        return back_to_bench(bench.delivery)
    if not form.validate() or not form.read_amounts(request.form):
        return _page(
            found, form, previewed=set(form.errors) <= {"note"} and not form.amount_errors, status=422
        )
    told = found.told(form.formulas.data, form.points.data)
    everywhere = len(form.points.data) == len(found.points)
    shortage = Shortage(
        product_id=product_id,
        formula_ids=form.formulas.data,
        point_ids=[point.id for point in bench.points] if everywhere else form.points.data,
        everywhere=everywhere,
        instead_id=form.instead.data or None,
        amounts=form.amounts,
        note=form.note.data,
    )
    refusal = services.go_without(db.session(), bench.delivery.id, shortage, at=clock.now(), by=staff().id)
    if refusal:
        return _page(found, form, refusal=refusal, status=422)
    flash(
        _("C'est fait. Chaque personne concernée est prévenue par un mail.")
        if told
        else _("C'est fait. Personne n'a à être prévenu."),
        "success",
    )
    return back_to_bench(bench.delivery)


def _lacking(bench: Bench, product_id: int) -> Lacking:
    """As each point gets its boxes: what stands in for another product somewhere counts too."""
    session = db.session()
    product = next((p for p in bench.grid.products if p.id == product_id), None) or abort(404)
    excluded = queries.exclusions(session, bench.delivery.id)
    held = {}
    for column in bench.grid.columns:
        amounts = {line.product.id: line.amount for line in column.lines}
        for point in bench.points:
            box = (column.formula.id, point.id)
            amount = at_point(amounts, [x.swap for x in excluded.get(box, ())]).get(product_id)
            if amount:
                held[box] = amount
    return Lacking(bench, product, held, packing(session, bench.delivery.id))


def _page(
    found: Lacking,
    form: ShortageForm,
    *,
    previewed: bool = False,
    refusal: Refusal | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    page = render_template(
        "farm/compositions/shortage.html",
        found=found,
        delivery=found.bench.delivery,
        state=found.bench.delivery.state(clock.now()),
        form=form,
        previewed=previewed,
        refusal=refusal,
        nav_current="farm.deliveries",
    )
    return make_response(page, status)
