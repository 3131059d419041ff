"""What staff type where boxes go without a product: what comes instead, and how much of it."""

from collections.abc import Iterable
from typing import Any

from wtforms import Form, ValidationError

from portal.compositions.queries import Grid, ProductView
from portal.pickup.queries import PointView
from portal.rules.amounts import AmountRefusal, Measure, read_amount
from portal.rules.contents import Swap
from portal.web.forms import Chosen, Typed, choices, line
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

NOTHING = 0


def read_positive(text: str, measure: Measure) -> int:
    """Raises ValueError with what to write instead."""
    amount = read_amount(text, measure)
    if isinstance(amount, AmountRefusal) or not amount:
        raise ValueError(
            _("un nombre comme 0,5.") if measure.decimals else _("un nombre entier, au moins 1.")
        )
    return amount


def fillers(products: Iterable[ProductView], product_id: int | None = None) -> list[tuple[int, str]]:
    """What may come instead, for a list to choose from."""
    named = [(p.id, p.name) for p in products if not p.retired and p.id != product_id]
    return [(NOTHING, _("Rien")), *named]


class SwapForm(Form):
    """A product that a formula's boxes do not hold at one point."""

    point = Chosen(_l("Point de retrait"))
    formula = Chosen(_l("Formule"))
    product = Chosen(_l("Sans"))
    instead = Chosen(_l("À la place"))
    amount = Typed(_l("Combien"), line(20), needed=False)

    def __init__(self, formdata: Any, grid: Grid, points: Iterable[PointView]) -> None:
        self._products = {product.id: product for product in grid.products}
        self._choices = {
            "point": [(point.id, point.name) for point in points],
            "formula": [(column.formula.id, column.formula.name) for column in grid.columns],
            "product": [(product.id, product.name) for product in grid.used()],
            "instead": fillers(grid.products),
        }
        super().__init__(formdata)

    def process(self, *args: Any, **values: Any) -> None:
        for name, offered in self._choices.items():
            self[name].choices = choices([("", _("Choisir…")), *offered])
        super().process(*args, **values)

    def validate_instead(self, field: Chosen) -> None:
        if field.data and field.data == self.product.data:
            raise ValidationError(_("À la place : un autre produit, ou rien."))

    def validate_amount(self, field: Typed) -> None:
        if field.errors or not self.instead.data:
            field.data = None
            return
        try:
            field.data = read_positive(field.data or "", self._products[self.instead.data].measure)
        except ValueError as error:
            raise ValidationError(field.says(str(error))) from None

    @property
    def swap(self) -> Swap:
        return Swap(self.product.data, self.instead.data or None, self.amount.data or 0)
