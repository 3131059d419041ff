"""« Mon compte »: who one is, and the way to everything else."""

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.billing.mandates import awaits_signature
from portal.infra.orm import db
from portal.member import blueprint, member


@blueprint.get("/mon-compte")
def account() -> ResponseReturnValue:
    awaits = awaits_signature(db.session(), member())
    return render_template("member/account.html", member=member(), awaits_mandate=awaits)
