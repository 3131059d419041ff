"""The contracts and mandates of the one who is signed in, as they were mailed."""

from io import BytesIO

from flask import abort, render_template, send_file
from flask.typing import ResponseReturnValue

from portal.billing.mandates import mandates_of
from portal.infra.orm import db
from portal.member import blueprint, holder, member
from portal.planning import contracts as planning


@blueprint.get("/mon-compte/contrats")
def contracts() -> ResponseReturnValue:
    session = db.session()
    return render_template(
        "member/contracts.html",
        contracts=planning.of_account(session, holder().id),
        mandates=mandates_of(session, member().id),
    )


@blueprint.get("/mon-compte/contrats/<id:contract_id>")
def contract(contract_id: int) -> ResponseReturnValue:
    paper = planning.paper(db.session(), holder().id, contract_id) or abort(404)
    return send_file(
        BytesIO(paper.data), mimetype=paper.content_type, as_attachment=True, download_name=paper.name
    )
