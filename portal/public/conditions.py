"""The conditions of sale: those in force, and those that were."""

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from portal.infra.orm import db
from portal.profile.queries import all_conditions
from portal.public import blueprint


@blueprint.get("/conditions")
def conditions() -> ResponseReturnValue:
    versions = all_conditions(db.session())
    return render_template("public/conditions.html", versions=versions, shown=next(iter(versions), None))


@blueprint.get("/conditions/<id:conditions_id>")
def older_conditions(conditions_id: int) -> ResponseReturnValue:
    versions = all_conditions(db.session())
    shown = next((version for version in versions if version.id == conditions_id), None) or abort(404)
    return render_template("public/conditions.html", versions=versions, shown=shown)
