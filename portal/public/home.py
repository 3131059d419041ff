"""The farm's shop window: what it offers, what it costs, where it is collected."""

from itertools import groupby

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.catalogue.queries import priced_formulas
from portal.deliveries.queries import tours
from portal.infra import clock
from portal.infra.orm import db
from portal.pickup.queries import offered_points
from portal.public import blueprint
from portal.rules.cutoffs import local_day


@blueprint.get("/")
def home() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(url_for("member.home"), 303)
    session = db.session()
    return render_template(
        "public/home.html",
        formulas=priced_formulas(session, local_day(clock.now())),
        tours=tours(session),
        points={
            tour: list(group) for tour, group in groupby(offered_points(session), key=lambda p: p.tour_id)
        },
    )


@blueprint.get("/formules")
def formulas() -> ResponseReturnValue:
    session = db.session()
    return render_template(
        "public/formulas.html",
        formulas=priced_formulas(session, local_day(clock.now())),
        tours=tours(session),
    )
