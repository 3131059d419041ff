"""The questions that visitors read: written, ordered, removed."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity
from wtforms import Form
from wtforms.widgets import TextArea

from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.messages import questions as services
from portal.messages.questions import OURS, QuestionView, below_headings
from portal.rules.permissions import Permission
from portal.web.forms import Typed, paragraphs, prose, whole
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

ADDRESS = "/questions/<id:question_id>"
_read_place = whole(1, 1000)


class QuestionForm(Form):
    heading = Typed(_l("Rubrique"), prose(80))
    asked = Typed(_l("Question"), prose(200))
    answer = Typed(_l("Réponse"), paragraphs(5000), widget=TextArea())


@blueprint.get("/questions")
@needs(Permission.TEXTS)
def questions() -> ResponseReturnValue:
    own = services.own_questions(db.session())
    groups = below_headings(own or OURS)
    return render_template("farm/questions/list.html", groups=groups, own=bool(own), nav_current="farm.index")


@blueprint.post("/questions")
@needs(Permission.TEXTS)
def start_questions() -> ResponseReturnValue:
    """Idempotent: ours are taken over once."""
    services.start_with_ours(db.session(), at=clock.now(), by=staff().id)
    flash(_("Ces questions sont maintenant les vôtres : changez-les, ajoutez, retirez."), "success")
    return redirect(url_for("farm.questions"), 303)


@blueprint.get("/questions/ajout")
@needs(Permission.TEXTS)
def new_question() -> ResponseReturnValue:
    return _page(QuestionForm(heading=request.args.get("rubrique")))


@blueprint.post("/questions/ajout")
@needs(Permission.TEXTS)
def add_question() -> ResponseReturnValue:
    form = QuestionForm(request.form)
    if not form.validate():
        return _page(form, status=422)
    added = services.add_question(db.session(), **form.data, at=clock.now(), by=staff().id)
    flash(_("La question est publiée."), "success")
    return _back(added.id)


@blueprint.get(ADDRESS)
@needs(Permission.TEXTS)
def question(question_id: int) -> ResponseReturnValue:
    found = _question_or_404(question_id)
    return _page(QuestionForm(obj=found), found)


@blueprint.post(ADDRESS)
@needs(Permission.TEXTS)
def save_question(question_id: int) -> ResponseReturnValue:
    found, form = _question_or_404(question_id), QuestionForm(request.form)
    if not form.validate():
        return _page(form, found, 422)
    changed = services.change_question(db.session(), question_id, **form.data, at=clock.now(), by=staff().id)
    flash(_("La question est enregistrée.") if changed else _("Rien n'a changé."), "success")
    return _back(question_id)


@blueprint.post(f"{ADDRESS}/place")
@needs(Permission.TEXTS)
def place_question(question_id: int) -> ResponseReturnValue:
    """Make it the question of that number below its heading, from 1."""
    _question_or_404(question_id)
    try:
        [typed] = request.form.getlist("place")
        place = _read_place(typed)
    except ValueError:
        raise UnprocessableEntity from None
    services.place_question(db.session(), question_id, place - 1, at=clock.now(), by=staff().id)
    return _back(question_id)


@blueprint.post(f"{ADDRESS}/suppression")
@needs(Permission.TEXTS)
def remove_question(question_id: int) -> ResponseReturnValue:
    """Idempotent: what is gone already stays gone."""
    services.remove_question(db.session(), question_id, at=clock.now(), by=staff().id)
    flash(_("La question est supprimée."), "success")
    return redirect(url_for("farm.questions"), 303)


def _question_or_404(question_id: int) -> QuestionView:
    return services.find_question(db.session(), question_id) or abort(404)


def _back(question_id: int) -> ResponseReturnValue:
    return redirect(url_for("farm.questions", _anchor=f"question-{question_id}"), 303)


def _page(form: QuestionForm, found: QuestionView | None = None, status: int = 200) -> ResponseReturnValue:
    context: dict[str, Any] = {
        "form": form,
        "question": found,
        "headings": list(below_headings(services.own_questions(db.session()))),
    }
    return make_response(
        render_template("farm/questions/page.html", **context, nav_current="farm.index"), status
    )
