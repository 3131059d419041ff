"""What subscribers choose: one of what is shown, or refused beside the place where it stands."""

import re
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import Form, SelectField, SelectMultipleField, ValidationError

from portal.catalogue.queries import PricedFormula
from portal.pickup.queries import PointView
from portal.planning.previews import TermView
from portal.rules.calendar import Rhythm
from portal.rules.orders import Aboard
from portal.web.i18n import lazy_gettext as _l

_ID = re.compile(r"[1-9][0-9]{0,8}")
_DAY = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}")

MOST = 9
"""Boxes of one subscription on a delivery; who needs more calls the farm."""


class OneOf(SelectField):
    """One of what is shown, compared as text: 1_0, +1, other digits and a second value name nothing."""

    def __init__(self, label: Any, refusal: Any, **options: Any) -> None:
        super().__init__(label, choices=[], **options)
        self.refusal = refusal

    def pre_validate(self, form: Form) -> None:
        if len(self.raw_data or ()) != 1 or self.data not in dict(self.choices):
            raise ValidationError(self.refusal)


class Several(SelectMultipleField):
    """Any of what is shown; an empty value says that it was shown."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = [value for value in valuelist if value]

    def pre_validate(self, form: Form) -> None:
        if not set(self.data) <= set(dict(self.choices)):
            raise ValidationError(_l("Cochez ce qui est proposé."))


class TermsForm(Form):
    """What a subscription shall be; `also` are those that move along."""

    formula = OneOf(_l("Formule"), _l("Choisissez une des formules proposées."), name="formule")
    quantity = OneOf(_l("Quantité"), _l("Choisissez une quantité de 1 à 9."), name="quantite")
    rhythm = OneOf(_l("Rythme"), _l("Choisissez un des rythmes proposés."), name="rythme")
    point = OneOf(_l("Point de retrait"), _l("Choisissez un des points de retrait proposés."), name="point")
    also = Several(_l("Aussi pour"), name="aussi", choices=[])

    def __init__(
        self,
        sent: MultiDict[str, str],
        *,
        formulas: Iterable[PricedFormula],
        points: Iterable[PointView],
        usual: TermView,
    ) -> None:
        super().__init__(sent)
        self.formulas = {str(item.formula.id): item.formula for item in formulas}
        self.points = {str(point.id): point for point in points}
        self.formula.choices = [(value, formula.name) for value, formula in self.formulas.items()]
        self.quantity.choices = [(str(n), str(n)) for n in sorted({*range(1, MOST + 1), usual.quantity})]
        self.rhythm.choices = [(rhythm.value, rhythm.value) for rhythm in Rhythm]
        self.point.choices = [(value, point.name) for value, point in self.points.items()]

    @property
    def wanted(self) -> TermView:
        """Once it is valid."""
        return TermView(
            self.formulas[self.formula.data],
            int(self.quantity.data),
            Rhythm(self.rhythm.data),
            self.points[self.point.data],
        )


def with_usual(sent: MultiDict[str, str], usual: TermView) -> MultiDict[str, str]:
    """What was sent, and where a choice was not, what is usual."""
    filled = MultiDict(sent)
    filled.setdefault("formule", str(usual.formula.id))
    filled.setdefault("quantite", str(usual.quantity))
    filled.setdefault("rythme", usual.rhythm.value)
    filled.setdefault("point", str(usual.point.id))
    return filled


def read_dates(sent: MultiDict[str, str], ids: Collection[int]) -> dict[int, date]:
    """The Monday that the page has shown for each subscription; what is no date is left out."""
    found = {number: read_day(sent, f"des-{number}") for number in ids}
    return {number: day for number, day in found.items() if day}


def read_day(sent: MultiDict[str, str], name: str) -> date | None:
    """The one day of our time that a field names, written 2026-06-01 in plain digits."""
    days = [value.strip() for value in sent.getlist(name)]
    try:
        return date.fromisoformat(days[0]) if len(days) == 1 and _DAY.fullmatch(days[0]) else None
    except ValueError:
        return None


def read_ids(sent: MultiDict[str, str], name: str) -> list[int]:
    """The rows that a field names, none where one is no key: 1_0, +1 and other digits are none."""
    values = sent.getlist(name)
    return [int(value) for value in values] if all(map(_ID.fullmatch, values)) else []


def read_id(sent: MultiDict[str, str], name: str) -> int | None:
    """The one row that a field names; nothing for what no page of ours sends."""
    found = read_ids(sent, name)
    return found[0] if len(found) == 1 else None


def read_aboard(sent: MultiDict[str, str]) -> Aboard | None:
    """What a person wishes for orders that lose their box; nothing where they were not asked yet."""
    value = sent.get("commande")
    return Aboard(value) if value in set(Aboard) else None
