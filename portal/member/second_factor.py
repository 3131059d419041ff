"""The second factor is set up, its recovery codes are shown once, it is given up."""

import segno
from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from wtforms import Form, StringField
from wtforms.validators import InputRequired, Length

from portal.accounts import factors
from portal.accounts.proofs import fresh_proof_needed
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, member
from portal.profile.queries import get_farm
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

_WRONG = _l("Ce n'est pas le code que l'application montre en ce moment.")


class FirstCodeForm(Form):
    code = StringField(
        _l("Code à six chiffres"),
        [InputRequired(_l("Écrivez le code que l'application montre.")), Length(max=40, message=_WRONG)],
    )


@blueprint.route("/mon-compte/securite/deux-etapes", methods=["GET", "POST"])
@fresh_proof_needed
def second_factor() -> ResponseReturnValue:
    if request.method != "POST":
        return _page(FirstCodeForm())
    factors.begin(db.session(), member(), at=clock.now())
    return redirect(url_for("member.second_factor"), 303)


@blueprint.post("/mon-compte/securite/deux-etapes/confirmation")
@fresh_proof_needed
def confirm_second_factor() -> ResponseReturnValue:
    form = FirstCodeForm(request.form)
    if not form.validate():
        return _page(form, 422)
    codes = factors.confirm(db.session(), member(), form.code.data, at=clock.now())
    if codes is None:
        form.code.errors = [str(_WRONG)]
        return _page(form, 422)
    return _show_once(codes, _("La vérification en deux étapes est en service."))


@blueprint.post("/mon-compte/securite/deux-etapes/codes")
@fresh_proof_needed
def renew_recovery_codes() -> ResponseReturnValue:
    codes = factors.renew_codes(db.session(), member(), at=clock.now())
    if codes is None:
        return redirect(url_for("member.second_factor"), 303)
    return _show_once(codes, _("Vos nouveaux codes sont prêts ; les anciens ne servent plus."))


@blueprint.post("/mon-compte/securite/deux-etapes/suppression")
@fresh_proof_needed
def remove_second_factor() -> ResponseReturnValue:
    factors.remove(db.session(), member(), at=clock.now())
    flash(_("La vérification en deux étapes est arrêtée."), "success")
    return redirect(url_for("member.security"), 303)


def _show_once(codes: list[str], said: str) -> ResponseReturnValue:
    """They are kept as hashes only: this answer is where they stand, not a page to come back to."""
    return render_template("member/security/recovery_codes.html", member=member(), codes=codes, said=said)


def _page(form: FirstCodeForm, status: int = 200) -> ResponseReturnValue:
    session = db.session()
    factor = factors.find(session, member())
    new = factors.pending(session, member(), at=clock.now())
    uri = factors.uri(member(), new, get_farm(session).name) if new else ""
    page = render_template(
        "member/security/second_factor.html",
        form=form,
        factor=factor,
        new=new,
        codes_left=factors.codes_left(session, member()),
        uri=uri,
        secret=factors.typed_secret(new) if new else "",
        picture=_picture(uri) if new else "",
    )
    return make_response(page, status)


def _picture(uri: str) -> Markup:
    """Drawn with attributes alone: the page allows no style. Dark on light by night too, as cameras want it."""
    return Markup(segno.make(uri, micro=False).svg_inline(dark="#000", light="#fff", omitsize=True))  # noqa: S704
