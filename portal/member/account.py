"""« Mon compte »: who one is, and the way to everything else."""

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.billing.ledger import balance
from portal.billing.mandates import awaits_signature
from portal.infra.orm import db
from portal.member import blueprint, member


@blueprint.get("/mon-compte")
def account() -> ResponseReturnValue:
    session, own = db.session(), member()
    return render_template(
        "member/account.html",
        member=own,
        awaits_mandate=awaits_signature(session, own),
        balance=balance(session, own.id),
    )
