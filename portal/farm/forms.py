"""What staff type into the grid: read as it stands, refused beside the place where it stands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from portal.compositions.queries import Column, Grid, ProductView
from portal.compositions.services import Cell
from portal.rules.amounts import AmountRefusal, read_amount, write_amount

Form = MultiDict[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A cell of the grid: what is saved, what was typed over it, and why that is refused."""

    cell: Cell
    saved: str
    text: str
    amount: int = 0
    error: AmountRefusal | None = None

    @property
    def changed(self) -> bool:
        return self.text != self.saved


def saved_entry(column: Column, product: ProductView) -> Entry:
    saved = write_amount(column.amount(product.id), product.measure)
    return Entry(Cell(column.formula.id, product.id), saved=saved, text=saved)


def typed_entry(column: Column, product: ProductView, text: str) -> Entry:
    read = read_amount(text, product.measure)
    entry = replace(saved_entry(column, product), text=text)
    return replace(entry, error=read) if isinstance(read, AmountRefusal) else replace(entry, amount=read)


def read_cell(form: Form, column: Column, product: ProductView) -> Entry:
    """Raises BadRequest where the cell is not there exactly once."""
    text = _only(form, name_of("cell", Cell(column.formula.id, product.id)))
    if text is None:
        raise BadRequest
    return typed_entry(column, product, text)


def read_grid(form: Form, grid: Grid) -> dict[Cell, Entry]:
    """The cells that were typed over since the page was shown.

    Each carries what it showed then: a page left open does not undo what somebody else has saved since.
    """
    entries = {}
    for column in grid.columns:
        for product in grid.products:
            cell = Cell(column.formula.id, product.id)
            text = _only(form, name_of("cell", cell))
            if text is not None and text != _only(form, name_of("was", cell)):
                entries[cell] = typed_entry(column, product, text)
    return entries


def read_products(values: Iterable[str], grid: Grid) -> list[ProductView]:
    """The products that are named by their ids; what names none is left out."""
    named = {str(product.id): product for product in grid.products}
    return [named[value] for value in dict.fromkeys(values) if value in named]


def merged(grid: Grid, products: Iterable[ProductView], typed: Mapping[Cell, Entry]) -> dict[Cell, Entry]:
    """All cells of these rows: as saved, but for those that were typed over."""
    saved = (saved_entry(column, product) for product in products for column in grid.columns)
    return {entry.cell: typed.get(entry.cell, entry) for entry in saved}


def name_of(kind: str, cell: Cell) -> str:
    """A field's name or an element's id: « cell-1-12 »."""
    return f"{kind}-{cell.formula_id}-{cell.product_id}"


def _only(form: Form, name: str) -> str | None:
    """Without what nobody sees: marks of direction that came with a paste, and what no page may carry."""
    values = form.getlist(name)
    if len(values) > 1:
        raise BadRequest
    return "".join(filter(str.isprintable, values[0])).strip() if values else None
