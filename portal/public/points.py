"""All pickup points, on a map and in a list beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

from flask import abort, current_app, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.orm import Session

from portal.catalogue.queries import FormulaView, formulas
from portal.deliveries.queries import TourView, tours
from portal.infra import clock
from portal.infra.orm import db
from portal.pickup.map import Chart, draw
from portal.pickup.queries import PointView, offered_points
from portal.public import blueprint
from portal.rules.alphabet import french_order
from portal.rules.cutoffs import local_day
from portal.rules.distances import Position, kilometres, middle
from portal.settings import Settings
from portal.subscriptions.queries import points_of_account, withheld
from portal.web.assets import Asset, answer
from portal.web.headers import content_security_policy

DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
"""As addresses name them."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A point as list and map show it to who is looking."""

    point: PointView
    tour: TourView
    withheld: tuple[FormulaView, ...]
    mine: bool
    distance: float | None
    """Kilometres from the town that was chosen."""


@blueprint.get("/points-de-retrait")
def points() -> ResponseReturnValue:
    return chooser("public/points/page.html")


def chooser(template: str, *, status: int = 200, **context: Any) -> ResponseReturnValue:
    """A page with all points on a map and in a list, the nearest first if one says from where."""
    session = db.session()
    offered, mine = offered_points(session), _own_points(session)
    towns = _towns(offered)
    town, day = request.args.get("ville", ""), request.args.get("jour", "")
    wanted = [point for point in offered if day not in DAYS or DAYS[point.weekday] == day]
    stops = _stops(session, wanted, mine, towns.get(town))
    page = render_template(
        template,
        groups=_nearest_first(stops) if town in towns else _by_tour(stops),
        towns=sorted(towns, key=french_order),
        town=town,
        days=[(DAYS[weekday], weekday) for weekday in sorted({point.weekday for point in offered})],
        day=day,
        subscribes=bool(mine),
        map_digest=_chart(offered).digest if offered else None,
        **context,
    )
    response = make_response(page, status)
    if host := _settings().tile_host:
        # Leaflet empties a tile that it no longer waits for with a picture of its own
        images = f"'self' data: {host}"
        response.headers["Content-Security-Policy"] = content_security_policy(images=images)
    return response


def _own_points(session: Session) -> set[int]:
    if not current_user.is_authenticated:
        return set()
    return points_of_account(session, current_user.holder.id, local_day(clock.now()))


def _stops(
    session: Session, wanted: Iterable[PointView], mine: set[int], here: Position | None
) -> list[Stop]:
    rounds = {tour.id: tour for tour in tours(session)}
    missing = withheld(session)
    sold = [formula for formula in formulas(session) if not formula.retired]
    return [
        Stop(
            point=point,
            tour=rounds[point.tour_id],
            withheld=tuple(formula for formula in sold if (point.id, formula.id) in missing),
            mine=point.id in mine,
            distance=kilometres(here, point.coordinates) if here else None,
        )
        for point in wanted
    ]


@blueprint.get("/points-de-retrait/carte/<digest>.js")
def points_map(digest: str) -> ResponseReturnValue:
    """The map's script; who asks for an older one gets today's, not to be kept."""
    offered = offered_points(db.session())
    if not offered:
        abort(404)
    chart = _chart(offered)
    return answer(_drawing(chart), forever=digest == chart.digest)


def _chart(offered: Iterable[PointView]) -> Chart:
    places = tuple((point.slug, point.coordinates) for point in offered)
    return Chart(places, _settings().map_tiles, _settings().map_attribution)


@lru_cache(maxsize=2)
def _drawing(chart: Chart) -> Asset:
    return Asset(draw(chart).encode(), "text/javascript")


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def _towns(offered: list[PointView]) -> dict[str, Position]:
    """Where the towns of the points are: in the middle of their points."""
    places: dict[str, list[Position]] = {}
    for point in offered:
        places.setdefault(point.town, []).append(point.coordinates)
    return {town: middle(positions) for town, positions in places.items()}


def _nearest_first(stops: list[Stop]) -> list[tuple[TourView | None, list[Stop]]]:
    return [(None, sorted(stops, key=lambda stop: stop.distance or 0))] if stops else []


def _by_tour(stops: list[Stop]) -> list[tuple[TourView | None, list[Stop]]]:
    """Tour by tour in the order of the week, each in the order of its round."""
    week = sorted(stops, key=lambda stop: (stop.tour.weekday, stop.tour.id))
    return [(tour, list(group)) for tour, group in groupby(week, key=lambda stop: stop.tour)]
