"""What a season comes to, drawn and counted."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from operator import itemgetter
from typing import Any

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from portal.billing.turnover import MonthTotal, months
from portal.exchange.tables import own_head
from portal.farm import blueprint
from portal.farm.downloads import download
from portal.figures import queries
from portal.figures.queries import Period, Weekly
from portal.infra import clock
from portal.infra.orm import db
from portal.profile.queries import season_first
from portal.rules.calendar import WEEK, monday_of, season_start
from portal.rules.cutoffs import local_day
from portal.rules.permissions import Permission
from portal.web.doors import may
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.transaction import reads_only

BEST_SOLD = 20
STEPS = (1, 2, 5)


class Length(StrEnum):
    """For how long one looks back; its words are in the templates."""

    SEASON = "saison"
    WEEKS = "12-semaines"
    YEAR = "12-mois"


class Figure(StrEnum):
    BOXES = "paniers"
    ABSENCES = "absences"
    SUBSCRIPTIONS = "abonnements"
    GIVEN = "valeur"
    SALES = "ventes"
    MONEY = "argent"


@blueprint.get("/chiffres")
@needs(Permission.FIGURES)
def figures() -> ResponseReturnValue:
    session = db.session()
    length, period = _wanted(session)
    weekly = {figure: count(session, period) for figure, count in _WEEKLY.items()}
    return render_template(
        "farm/figures/page.html",
        length=length,
        lengths=list(Length),
        period=period,
        weekly=weekly,
        ticks={figure: _ticks(counted, figure) for figure, counted in weekly.items()},
        given=queries.given(session, period),
        sales=queries.sales(session, period),
        months=_months(session, period) if may(Permission.READ_BILLS) else None,
        best_sold=BEST_SOLD,
        nav_current="farm.index",
    )


@blueprint.post("/chiffres/<figure>/export")
@needs(Permission.FIGURES)
@reads_only
def export_figures(figure: str) -> ResponseReturnValue:
    if figure not in set(Figure):
        abort(404)
    session = db.session()
    _length, period = _wanted(session)
    name, wanted = _("chiffres-%(what)s", what=figure), Figure(figure)
    if wanted is Figure.MONEY:
        if not may(Permission.READ_BILLS):
            abort(403)
        return download(name, _month_columns(), _months(session, period))
    if wanted is Figure.GIVEN:
        return download(name, _given_columns(), queries.given(session, period))
    if wanted is Figure.SALES:
        return download(name, _sale_columns(), queries.sales(session, period))
    counted = _WEEKLY[wanted](session, period)
    columns: dict[str, Callable[[Any], Any]] = {_("Semaine du"): itemgetter(0)}
    for place, (series, _numbers) in enumerate(counted.series):
        columns[own_head(series, columns)] = lambda row, place=place: row[1][place]  # type: ignore[misc]
    return download(name, columns, counted.rows)


_WEEKLY: dict[Figure, Callable[[Session, Period], Weekly]] = {
    Figure.BOXES: queries.boxes,
    Figure.ABSENCES: lambda session, period: queries.absences(
        session, period, skipped=_("Sautés"), suspended=_("Suspendus")
    ),
    Figure.SUBSCRIPTIONS: lambda session, period: queries.comings_and_goings(
        session, period, new=_("Nouveaux"), ended=_("Terminés")
    ),
}


def _given_columns() -> dict[str, Callable[[queries.Given], Any]]:
    return {
        _("Formule"): lambda g: g.formula,
        _("Paniers"): lambda g: g.boxes,
        _("Valeur donnée"): lambda g: g.worth,
        _("Prix"): lambda g: g.price,
        _("Écart en %"): lambda g: None if g.gap is None else Decimal(g.gap).scaleb(-2),
    }


def _sale_columns() -> dict[str, Callable[[queries.Sale], Any]]:
    return {
        _("Produit"): lambda s: s.article,
        _("Commandes"): lambda s: s.orders,
        _("Quantité"): lambda s: s.quantity,
        _("En"): lambda s: _("grammes") if s.by_weight else _("pièces"),
        _("Montant"): lambda s: s.amount,
    }


def _months(session: Session, period: Period) -> list[MonthTotal]:
    """Those that the weeks touch."""
    return months(session, period.first, period.last)


def _month_columns() -> dict[str, Callable[[MonthTotal], Any]]:
    return {
        _("Mois"): lambda m: m.month,
        _("Facturé HT"): lambda m: m.net,
        _("Facturé TTC"): lambda m: m.billed,
        _("Réglé"): lambda m: m.paid,
        _("Abandonné"): lambda m: m.written_off,
        _("Reste dû en fin de mois"): lambda m: m.owed,
    }


def _wanted(session: Session) -> tuple[Length, Period]:
    asked, today = request.args.get("periode", ""), local_day(clock.now())
    length = Length(asked) if asked in set(Length) else Length.SEASON
    last = monday_of(today)
    firsts: dict[Length, date] = {
        Length.SEASON: monday_of(season_start(season_first(session), today)),
        Length.WEEKS: last - 11 * WEEK,
        Length.YEAR: monday_of(today - timedelta(days=364)),
    }
    return length, Period(firsts[length], last)


def _ticks(counted: Weekly, figure: Figure) -> list[int]:
    """Round numbers, from nothing to the highest column; those of comings and goings stand side by side."""
    together = max if figure is Figure.SUBSCRIPTIONS else sum
    highest = max((together(numbers) for _week, numbers in counted.rows if numbers), default=0)
    steps = (step * 10**power for power in range(9) for step in STEPS)
    step = next(step for step in steps if step * 4 >= highest)
    return list(range(0, max(highest, 1) + step, step))
