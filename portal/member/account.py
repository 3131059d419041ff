"""« Mon compte »: who one is, and the way to everything else."""

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.member import blueprint, member


@blueprint.get("/mon-compte")
def account() -> ResponseReturnValue:
    return render_template("member/account.html", member=member())
