"""What somebody has chosen on the way to a subscription, of what the farm offers now; and the forms that ask it."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast

from flask_login import current_user
from sqlalchemy.orm import Session
from wtforms import Form

from portal.accounts.models import Account
from portal.catalogue.models import Kind
from portal.catalogue.queries import PricedFormula, priced_formulas
from portal.infra import clock
from portal.infra.orm import db
from portal.pickup.queries import PointView, offered_points
from portal.planning.contracts import MEANS
from portal.planning.drafts import Choice, Keeper, keeper
from portal.planning.places import kept_places
from portal.planning.previews import TermView
from portal.rules.calendar import Rhythm
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.subscriptions.queries import withheld
from portal.web import forms
from portal.web.filters import day_year
from portal.web.forms import Chosen, Typed, choices
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

MOST = 9
"""Boxes of one subscription on a delivery; who needs more calls the farm."""
NOTHING, AT_ONCE = 0, 0
DIRECT_DEBIT = PaymentMeans.DIRECT_DEBIT


def own_account() -> Account | None:
    return cast(Account, current_user._get_current_object()) if current_user.is_authenticated else None


def own_choice() -> Keeper:
    account = own_account()
    return keeper(db.session(), account.id if account else None)


@dataclass(frozen=True, slots=True)
class Stall:
    """What can be chosen, and what is: nothing where the farm offers it no more."""

    formulas: tuple[PricedFormula, ...]
    points: tuple[PointView, ...]
    missing: frozenset[tuple[int, int]]
    choice: Choice
    kept: dict[int, int]
    """The places that are kept for them: point → places."""

    @property
    def formula(self) -> PricedFormula | None:
        return self._formula(self.choice.formula_id)

    @property
    def beside(self) -> PricedFormula | None:
        found, first = self._formula(self.choice.beside_id), self.formula
        return found if found and first and found.formula.kind is not first.formula.kind else None

    @property
    def point(self) -> PointView | None:
        """Where all that is chosen can be collected."""
        found = next((point for point in self.points if point.id == self.choice.point_id), None)
        return found if found and self.offers(found) else None

    def _formula(self, formula_id: int | None) -> PricedFormula | None:
        return next((item for item in self.formulas if item.formula.id == formula_id), None)

    @property
    def _chosen(self) -> list[PricedFormula]:
        return [item for item in (self.formula, self.beside) if item]

    @property
    def price(self) -> Money:
        """Of a delivery with all that is chosen, as it is today."""
        first = self.formula.price * self.choice.quantity if self.formula else Money.zero()
        return first + self.beside.price if self.beside else first

    def offers(self, point: PointView) -> bool:
        return not any((point.id, item.formula.id) in self.missing for item in self._chosen)

    def lacks_room(self, point: PointView) -> bool:
        """As last counted, for all that is chosen and without what is kept for them."""
        needed = self.formula.formula.weight * self.choice.quantity if self.formula else 1
        needed += self.beside.formula.weight if self.beside else 0
        if point.free_places is None or needed <= self.kept.get(point.id, 0):
            return False
        return needed > point.free_places

    @property
    def wanted(self) -> TermView | None:
        rhythm = self.choice.rhythm or Rhythm.WEEKLY
        if self.formula is None or self.point is None:
            return None
        return TermView(self.formula.formula, self.choice.quantity, rhythm, self.point)

    @property
    def wanted_beside(self) -> TermView | None:
        if self.wanted is None or self.beside is None:
            return None
        return replace(self.wanted, formula=self.beside.formula, quantity=1)

    @property
    def lacking(self) -> str | None:
        """The first page whose question is still open, by its endpoint."""
        if self.formula is None:
            return "public.join"
        if self.point is None:
            return "public.join_point"
        if self.choice.rhythm is None:
            return "public.join_deliveries"
        return "public.join_account" if own_account() is None else None


def stall(session: Session, choice: Choice | None = None) -> Stall:
    points, account = offered_points(session), own_account()
    kept = kept_places(session, [point.id for point in points]) if account else {}
    return Stall(
        tuple(priced_formulas(session, local_day(clock.now()))),
        tuple(points),
        withheld(session),
        choice or own_choice().read(),
        {point_id: n for (point_id, whose), n in kept.items() if account and whose == account.id},
    )


class FormulaForm(Form):
    formula = Chosen(_l("Formule"), name="formule")
    quantity = Chosen(_l("Quantité"), name="quantite")
    beside = Chosen(_l("Avec des œufs ?"), name="avec")

    def __init__(self, sent: Any, found: Stall) -> None:
        self._formulas = found.formulas
        eggs = [item for item in self._formulas if item.formula.kind is Kind.EGGS]
        self._beside = [(NOTHING, _("Non merci")), *((i.formula.id, i.formula.name) for i in eggs)]
        chosen = found.choice
        super().__init__(
            sent, formula=chosen.formula_id, quantity=chosen.quantity, beside=chosen.beside_id or NOTHING
        )
        if not eggs:
            del self.beside

    def process(self, *args: Any, **values: Any) -> None:
        self.formula.choices = choices((item.formula.id, item.formula.name) for item in self._formulas)
        self.quantity.choices = choices((n, str(n)) for n in range(1, MOST + 1))
        self.beside.choices = choices(self._beside)
        super().process(*args, **values)


class DeliveriesForm(Form):
    rhythm = Chosen(_l("Rythme"), name="rythme")
    since = Chosen(_l("Premier panier"), name="debut")

    def __init__(self, sent: Any, choice: Choice, starts: dict[date, date]) -> None:
        self._starts: list[tuple[object, str]] = [(AT_ONCE, _("dès que possible"))]
        self._starts += [(week, _("pas avant le %(day)s", day=day_year(day))) for week, day in starts.items()]
        rhythm = choice.rhythm or Rhythm.WEEKLY
        super().__init__(sent, rhythm=rhythm.value, since=choice.since or AT_ONCE)

    def process(self, *args: Any, **values: Any) -> None:
        self.rhythm.choices = choices((rhythm.value, rhythm.value) for rhythm in Rhythm)
        self.since.choices = choices(self._starts)
        super().process(*args, **values)


class OrderForm(Form):
    """Who the bill goes to, and how they wish to pay it."""

    name = Typed(_l("Prénom et nom"), forms.line(160), name="nom")
    phone = Typed(_l("Téléphone"), forms.phone, name="telephone")
    street = Typed(_l("Adresse"), forms.line(200), name="adresse")
    postcode = Typed(_l("Code postal"), forms.postcode, name="code-postal")
    town = Typed(_l("Ville"), forms.line(80), name="ville")
    means = Chosen(_l("Moyen de paiement souhaité"), name="reglement")

    def __init__(self, *args: Any, debits: bool, **values: Any) -> None:
        """Direct debit is offered where the farm can collect."""
        self.offered = {means: words for means, words in MEANS.items() if debits or means is not DIRECT_DEBIT}
        super().__init__(*args, **values)

    def process(self, *args: Any, **values: Any) -> None:
        self.means.choices = choices((means.value, str(words)) for means, words in self.offered.items())
        super().process(*args, **values)
