"""Subscriptions from a table: known by the person and the formula. An import starts them and changes none.

Whoever receives the formula already is left as they are: to change it, with what that does to a week that is
closed or a point that is full, is their page's work.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import select

from portal.accounts.models import Account
from portal.catalogue.queries import FormulaView, formulas, priced_formulas
from portal.deliveries.queries import of_weeks
from portal.exchange.columns import Column, day, one_of
from portal.exchange.lines import BadLine, Context, Values, Verdict, Written, needs
from portal.exchange.people import EMAIL, NUMBER, find_person
from portal.infra import clock, locks
from portal.pickup.queries import ClosingView, PointView, closings, offered_points
from portal.planning.desk import refusal_where_full
from portal.rules.calendar import WEEK, Fortnight, Rhythm, fortnight_of, monday_of
from portal.rules.changes import Facts
from portal.rules.cutoffs import local_day
from portal.rules.planning import Plan, Season, Term
from portal.rules.terms import TermChange, effective_monday
from portal.subscriptions import terms
from portal.subscriptions.queries import Holding, of_account, withheld
from portal.web.forms import whole
from portal.web.i18n import gettext as _

AHEAD = timedelta(weeks=52)
EVERY_OTHER = "every_other"
_RHYTHMS = {
    "chaque semaine": Rhythm.WEEKLY,
    "toutes les semaines": Rhythm.WEEKLY,
    "hebdomadaire": Rhythm.WEEKLY,
    "weekly": Rhythm.WEEKLY,
    "une semaine sur deux": EVERY_OTHER,
    "tous les quinze jours": EVERY_OTHER,
    "tous les 15 jours": EVERY_OTHER,
    "quinzaine": EVERY_OTHER,
    "semaines A": Rhythm.FORTNIGHT_A,
    "semaine A": Rhythm.FORTNIGHT_A,
    "A": Rhythm.FORTNIGHT_A,
    "semaines B": Rhythm.FORTNIGHT_B,
    "semaine B": Rhythm.FORTNIGHT_B,
    "B": Rhythm.FORTNIGHT_B,
}


def _columns(formulas: Mapping[str, FormulaView], points: Mapping[str, PointView]) -> tuple[Column, ...]:
    return (
        replace(EMAIL, needed=False),
        NUMBER,
        Column(
            "formula", ("Formule", "Panier", "Formula", "Box"), one_of(formulas), "Petit panier", needed=True
        ),
        Column("quantity", ("Quantité", "Nombre", "Quantity"), whole(1, 20), "1"),
        Column("rhythm", ("Rythme", "Fréquence", "Rhythm", "Frequency"), one_of(_RHYTHMS), "chaque semaine"),
        Column("point", ("Point de retrait", "Point", "Pickup point"), one_of(points), "Halle", needed=True),
        Column("start", ("Début", "À partir du", "Premier jour", "Start"), day, "16/06/2026"),
        Column("last_day", ("Dernier jour", "Fin", "Jusqu'au", "Last day", "End"), day, ""),
    )


class Writer:
    keys = (("email", "formula"), ("number", "formula"))

    def __init__(self, context: Context) -> None:
        session = context.session
        self._context = context
        self._today = local_day(context.at)
        self._offered = {priced.formula for priced in priced_formulas(session, self._today)}
        known = _by_name(formulas(session)) | _by_name(self._offered)
        self.columns = _columns(known, _by_name(offered_points(session)))

    @cached_property
    def _facts(self) -> Facts:
        """The coming deliveries, held until our commit, and the moment at which they are."""
        session, this_week = self._context.session, monday_of(self._today)
        coming = of_weeks(session, this_week, this_week + AHEAD, held=True)
        season = Season(delivery.for_rules for delivery in coming)
        return Facts(season, clock.now(), withheld(session))

    @cached_property
    def _closings(self) -> list[ClosingView]:
        return closings(self._context.session, self._today)

    def write(self, values: Values) -> Written:
        person = self._person(values)
        needs(self.columns, values)
        formula, point = values["formula"], values["point"]
        if (point.id, formula.id) in self._facts.withheld:
            raise BadLine("point", _("ce point ne propose pas cette formule."))
        wanted = Term(
            monday_of(self._today),
            formula.id,
            values.get("quantity", 1),
            self._rhythm(values, point),
            point.id,
            point.tour_id,
        )
        held = [h for h in of_account(self._context.session, person.id) if self._runs(h)]
        latest = [(holding.plan.terms[-1], holding) for holding in held]
        for term, _holding in latest:
            if term.formula_id == formula.id:
                return self._compared(term, wanted)
        last_day = values.get("last_day")
        if last_day and last_day < self._today:
            return Written(Verdict.UNCHANGED, _("cet abonnement est terminé : il ne recommence pas."))
        if formula not in self._offered:
            raise BadLine("formula", _("elle n'est plus proposée, ou n'a pas encore de prix."))
        plan = self._plan(wanted, values, point)
        if last_day and last_day < plan.terms[0].monday:
            raise BadLine("last_day", _("aucun panier ne peut plus venir jusque-là."))
        full = self._fills(replace(plan, last_day=last_day), formula, point)
        self._begin(person, plan, last_day)
        names = (holding.formulas[term.formula_id] for term, holding in latest)
        also = next((known.name for known in names if known.kind is formula.kind), None)
        notes = (
            [_("reçoit déjà « %(formula)s » : c'est un abonnement de plus.", formula=also)] if also else []
        )
        if full:
            notes.append(_("« %(point)s » est complet : ce panier dépasse ses places.", point=point.name))
        return Written(Verdict.CREATED, " ".join(notes))

    def _begin(self, person: Account, plan: Plan, last_day: date | None) -> None:
        session, at, by = self._context.session, self._facts.now, self._context.by
        begun = replace(plan, subscription_id=terms.begin(session, person.id, plan, at=at, by=by))
        terms.set_end(session, begun, replace(begun, last_day=last_day), at=at, by=by)

    def _fills(self, plan: Plan, formula: FormulaView, point: PointView) -> bool:
        """Whether a point lacks the places: staff may exceed them, so they are only looked at."""
        holding = Holding(plan, {formula.id: formula}, {point.id: point}).with_closings(self._closings)
        unbegun = replace(holding, plan=replace(holding.plan, terms=()))
        full = refusal_where_full(self._context.session, [(unbegun, holding.plan)], self._facts.season)
        return full is not None

    def _person(self, values: Values) -> Account:
        if not {"email", "number"} & set(values):
            raise BadLine("email", _("à remplir, ou le numéro client."))
        session = self._context.session
        person = find_person(session, values)
        if person is None:
            raise BadLine("email", _("personne n'a cette adresse ; importez d'abord les abonné·es."))
        held = locks.for_update(select(Account.id).where(Account.id == person.id), of=Account)
        session.scalars(held).one()  # nobody subscribes for them elsewhere meanwhile
        return person

    def _compared(self, present: Term, wanted: Term) -> Written:
        same = replace(wanted, monday=present.monday) == present
        note = "" if same else _("a déjà cette formule, réglée autrement : elle reste comme elle est.")
        return Written(Verdict.UNCHANGED, note)

    def _runs(self, holding: Holding) -> bool:
        return holding.plan.last_day is None or holding.plan.last_day >= self._today

    def _rhythm(self, values: Values, point: PointView) -> Rhythm:
        asked = values.get("rhythm", Rhythm.WEEKLY)
        if asked != EVERY_OTHER:
            return Rhythm(asked)
        if "start" not in values:
            raise BadLine("rhythm", _("écrivez « semaines A » ou « semaines B », ou une date de début."))
        first = fortnight_of(_first_week(values["start"], point))
        return Rhythm.FORTNIGHT_A if first is Fortnight.A else Rhythm.FORTNIGHT_B

    def _plan(self, wanted: Term, values: Values, point: PointView) -> Plan:
        """From the first week on in which nothing is closed, and not before the day that is asked for."""
        plan = Plan(0, (wanted,))
        monday = effective_monday(
            plan=plan, change=TermChange(), season=self._facts.season, now=self._facts.now
        )
        if "start" in values:
            monday = max(monday, _first_week(values["start"], point))
        return replace(plan, terms=(replace(wanted, monday=monday),))


def _first_week(start: date, point: PointView) -> date:
    """The first week whose delivery is not before a day."""
    week = monday_of(start)
    return week if week + timedelta(days=point.weekday) >= start else week + WEEK


def _by_name(named: Iterable[FormulaView | PointView]) -> dict[str, Any]:
    """By their names and their short ones; a name that two have is nobody's."""
    every = list(named)
    times = Counter(one.name for one in every)
    return {one.slug: one for one in every} | {one.name: one for one in every if times[one.name] == 1}
