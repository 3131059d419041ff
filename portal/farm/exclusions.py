"""What the boxes of one pickup point hold instead of what the others do."""

from datetime import date

from flask import flash, request
from flask.typing import ResponseReturnValue

from portal.compositions import services
from portal.farm import blueprint, staff
from portal.farm.compositions import ADDRESS, back_to_bench, bench_or_404, bench_page
from portal.farm.swaps import SwapForm
from portal.infra import clock
from portal.infra.orm import db
from portal.rules.permissions import Permission
from portal.web.guards import needs
from portal.web.i18n import gettext as _


@blueprint.post(f"{ADDRESS}/points")
@needs(Permission.COMPOSE)
def exclude(day: date, tour: str) -> ResponseReturnValue:
    """Leave a product out of a formula's boxes at one point."""
    bench = bench_or_404(day, tour)
    form = SwapForm(request.form, bench.grid, bench.points)
    if not form.validate():
        return bench_page(bench, swap_form=form, status=422)
    refusal = services.exclude(
        db.session(),
        bench.delivery.id,
        (form.formula.data, form.point.data),
        form.swap,
        at=clock.now(),
        by=staff().id,
    )
    if refusal:
        return bench_page(bench, refusal=refusal, status=422)
    flash(_("C'est noté : ce point reçoit autre chose."), "success")
    return back_to_bench(bench.delivery, _anchor="points")


@blueprint.post(f"{ADDRESS}/points/<id:exclusion_id>/suppression")
@needs(Permission.COMPOSE)
def include(day: date, tour: str, exclusion_id: int) -> ResponseReturnValue:
    bench = bench_or_404(day, tour)
    refusal = services.include(db.session(), bench.delivery.id, exclusion_id, at=clock.now(), by=staff().id)
    if refusal:
        return bench_page(bench, refusal=refusal, status=422)
    flash(_("Ce point reçoit de nouveau la même chose que les autres."), "success")
    return back_to_bench(bench.delivery, _anchor="points")
