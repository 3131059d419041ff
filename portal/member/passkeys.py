"""One's passkeys: made, named, removed; shown to prove who one is."""

from flask import Response, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, StringField
from wtforms.validators import InputRequired, Length

from portal.accounts import passkeys, proofs
from portal.accounts.entering import Way
from portal.accounts.proofs import fresh_proof_needed
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, member
from portal.profile.queries import get_farm
from portal.web.guards import is_on_this_site, own_hands_only
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l


class PasskeyForm(Form):
    name = StringField(
        _l("Nom de la clé"),
        [
            InputRequired(_l("Donnez-lui un nom : celui de l'appareil, par exemple.")),
            Length(max=80, message=_l("Ce nom est trop long.")),
        ],
        filters=[lambda typed: " ".join((typed or "").split())],
    )


@blueprint.post("/mon-compte/securite/cles/question")
@fresh_proof_needed
def ask_to_make_passkey() -> Response:
    session = db.session()
    options = passkeys.ask_to_make(session, member(), get_farm(session).name)
    return current_app.response_class(options, mimetype="application/json")


@blueprint.route("/mon-compte/securite/cles/ajout", methods=["GET", "POST"])
@fresh_proof_needed
def add_passkey() -> ResponseReturnValue:
    form = PasskeyForm(request.form)
    if request.method != "POST":
        return render_template("member/security/passkey.html", form=form)
    if not form.validate():
        return render_template("member/security/passkey.html", form=form), 422
    answer = request.form.get("credential", "")
    if not passkeys.add(db.session(), member(), answer, form.name.data, at=clock.now()):
        return render_template("member/security/passkey.html", form=form, failed=True), 422
    flash(_("Votre clé d'accès est prête : elle ouvre votre compte d'un geste."), "success")
    return redirect(url_for("member.security"), 303)


@blueprint.post("/mon-compte/securite/cles/<id:passkey_id>/suppression")
@fresh_proof_needed
def remove_passkey(passkey_id: int) -> ResponseReturnValue:
    if not passkeys.remove(db.session(), member(), passkey_id, at=clock.now()):
        abort(404)
    flash(_("Cette clé d'accès n'ouvre plus votre compte."), "success")
    return redirect(url_for("member.security"), 303)


@blueprint.post("/mon-compte/preuve/cle")
@own_hands_only
def prove_by_passkey() -> ResponseReturnValue:
    wanted, now = request.args.get("next", ""), clock.now()
    found = passkeys.show(db.session(), request.form.get("credential", ""), at=now)
    if found != (member(), Way.PASSKEY):
        flash(
            _("Cette clé d'accès n'est pas la vôtre, ou ne vous a rien demandé. Prouvez-le autrement."),
            "error",
        )
        return redirect(url_for("member.prove", next=wanted or None), 303)
    proofs.note(member(), at=now)
    return redirect(wanted if is_on_this_site(wanted) else url_for("member.security"), 303)
