"""What is still possible in one week of a person's planning: the same rules that the acts ask."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from portal.boxes.queries import REACH, MemberBox
from portal.catalogue.queries import FormulaView, formula_prices, formulas
from portal.deliveries.queries import DeliveryView, of_weeks
from portal.pickup.queries import PointView, offered_points
from portal.planning.queries import Card, Planning
from portal.rules.changes import (
    POSTPONED_AT_MOST,
    Facts,
    postponements,
    refusal_to_bring_forward,
    refusal_to_move,
    refusal_to_vary,
)
from portal.rules.money import Money
from portal.rules.planning import Place, Plan, Season
from portal.rules.pricing import DatedPrice, price_on
from portal.subscriptions.queries import withheld


@dataclass(frozen=True, slots=True)
class PointOption:
    """A point where a week's boxes could be collected for once, and on which delivery."""

    point: PointView
    delivery: DeliveryView


@dataclass(frozen=True, slots=True)
class FormulaOption:
    """A formula that a box could be for once, with its price on that delivery."""

    formula: FormulaView
    price: Money


@dataclass(frozen=True, slots=True)
class BoxOptions:
    """What one box may become; nothing of it once its delivery is closed."""

    box: MemberBox
    postponements: tuple[DeliveryView, ...]
    formulas: tuple[FormulaOption, ...]
    can_bring_forward: bool
    can_vary_back: bool


@dataclass(frozen=True, slots=True)
class CardOptions:
    """What a card's boxes may become, each and together."""

    card: Card
    boxes: tuple[BoxOptions, ...]
    left: tuple[BoxOptions, ...]
    points: tuple[PointOption, ...]
    can_move_back: bool
    price: Money
    """Of the boxes that come: what skipping them all takes off the month's invoice."""

    def dates(self, week: date) -> tuple[DeliveryView, ...]:
        """Where all the boxes of a week that come with this card can go together."""
        coming = [o.postponements for o in self.boxes if o.box.week == week and not o.box.skipped]
        return tuple(day for day in coming[0] if all(day in others for others in coming)) if coming else ()


def week_options(session: Session, planning: Planning, week: date, now: datetime) -> list[CardOptions]:
    """The cards of a week, each with what is still possible; five queries whatever the person holds."""
    cards = [card for card in planning.cards if card.delivery.week == week]
    found = {d.id: d for d in of_weeks(session, week - REACH, week + POSTPONED_AT_MOST)}
    every_point, every_formula, prices = offered_points(session), formulas(session), formula_prices(session)
    facts = Facts(
        Season(view.for_rules for view in found.values()),
        now,
        withheld(session),
        sold_from={formula_id: dated[0].since for formula_id, dated in prices.items()},
    )
    plans = {holding.id: holding.plan for holding in planning.holdings}

    def options(box: MemberBox) -> BoxOptions:
        plan = plans[box.subscription_id]
        return BoxOptions(
            box=box,
            postponements=tuple(found[d.id] for d in postponements(plan, box.week, facts)),
            formulas=tuple(_formulas(plan, box, every_formula, prices, facts)),
            can_bring_forward=box.postponed and refusal_to_bring_forward(plan, box.week, facts) is None,
            can_vary_back=box.varied and refusal_to_vary(plan, box.week, None, facts) is None,
        )

    return [
        CardOptions(
            card=card,
            boxes=tuple(map(options, card.boxes)),
            left=tuple(map(options, card.left)),
            points=tuple(_points(card, plans, every_point, found.values(), facts)),
            price=sum(
                (price_on(prices[b.formula.id], b.delivery.day).price * b.quantity for b in card.to_come),
                Money.zero(),
            ),
            can_move_back=any(box.elsewhere for box in card.boxes)
            and not any(refusal_to_move(plans[box.subscription_id], week, None, facts) for box in card.boxes),
        )
        for card in cards
    ]


def _formulas(
    plan: Plan,
    box: MemberBox,
    every: Iterable[FormulaView],
    prices: dict[int, list[DatedPrice]],
    facts: Facts,
) -> Iterable[FormulaOption]:
    for formula in every:
        offered = not formula.retired or formula.id == box.formula.id
        if (
            offered
            and formula.kind is box.formula.kind
            and refusal_to_vary(plan, box.week, formula.id, facts) is None
        ):
            yield FormulaOption(formula, price_on(prices[formula.id], box.delivery.day).price)


def _points(
    card: Card,
    plans: dict[int, Plan],
    every: Iterable[PointView],
    found: Collection[DeliveryView],
    facts: Facts,
) -> Iterable[PointOption]:
    """Where all the boxes of a card could be collected, in the order of the days."""
    week = card.delivery.week
    of_tour = {delivery.tour_id: delivery for delivery in found if delivery.week == week}
    concerned = {box.subscription_id for box in card.boxes}
    options = []
    for point in every:
        delivery, place = of_tour.get(point.tour_id), Place(point.id, point.tour_id)
        if point.id == card.point.id or delivery is None or not concerned:
            continue
        if not any(refusal_to_move(plans[i], week, place, facts) for i in concerned):
            options.append(PointOption(point, delivery))
    return sorted(options, key=lambda option: (option.delivery.day, option.point.position))
