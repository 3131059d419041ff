"""What people write to the farm: read, taken, answered, done."""

from io import BytesIO

from flask import abort, flash, make_response, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity
from wtforms import Form
from wtforms.widgets import TextArea

from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.messages import contact, inbox
from portal.messages.inbox import Sought
from portal.messages.models import ContactMessage, ContactState
from portal.rules.permissions import Permission
from portal.web.forms import Typed, paragraphs, whole
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

ADDRESS = "/contact/<id:message_id>"
PAGE_SIZE = 50
LONGEST = 100
ALL = "tous"
_read_number = whole(1, 999_999_999)


class AnswerForm(Form):
    text = Typed(_l("Votre réponse"), paragraphs(5000), name="reponse", widget=TextArea())


@blueprint.get("/contact")
@needs(Permission.MESSAGES)
def messages() -> ResponseReturnValue:
    """Newest first; what cannot be meant narrows nothing."""
    state, account_id, before = request.args.get("etat"), _number("compte"), _number("avant")
    sought = Sought(
        text=request.args.get("q", "").strip()[:LONGEST],
        state=ContactState(state) if state in set(ContactState) else None,
        everything=state == ALL,
        account_id=account_id,
    )
    lines = inbox.list_messages(db.session(), sought, before=before, limit=PAGE_SIZE + 1)
    asked = {name: request.args[name] for name in ("q", "etat", "compte") if request.args.get(name)}
    return render_template(
        "farm/contact/list.html",
        lines=lines[:PAGE_SIZE],
        older=lines[PAGE_SIZE - 1].id if len(lines) > PAGE_SIZE else None,
        sought=sought,
        asked=asked,
        all=ALL,
        longest=LONGEST,
        nav_current="farm.index",
    )


@blueprint.get(ADDRESS)
@needs(Permission.MESSAGES)
def message(message_id: int) -> ResponseReturnValue:
    return _page(_message_or_404(message_id), AnswerForm())


@blueprint.post(f"{ADDRESS}/etat")
@needs(Permission.MESSAGES)
def bring_message(message_id: int) -> ResponseReturnValue:
    try:
        state = ContactState(request.form.get("etat", ""))
    except ValueError:
        raise UnprocessableEntity from None
    if contact.bring(db.session(), message_id, state, at=clock.now(), by=staff().id) is None:
        abort(404)
    return _back(message_id)


@blueprint.post(f"{ADDRESS}/reponse")
@needs(Permission.MESSAGES)
def answer_message(message_id: int) -> ResponseReturnValue:
    found, form = _message_or_404(message_id), AnswerForm(request.form)
    if not form.validate():
        return _page(found, form, 422)
    done = request.form.get("ensuite") == "clore"
    contact.answer(db.session(), message_id, form.text.data, done=done, at=clock.now(), by=staff().id)
    flash(_("La réponse part à %(address)s.", address=found.email), "success")
    return _back(message_id)


@blueprint.get(f"{ADDRESS}/pieces/<id:file_id>")
@needs(Permission.MESSAGES)
def message_file(message_id: int, file_id: int) -> ResponseReturnValue:
    """To be kept, never shown within the site: a stranger has sent it."""
    file = inbox.find_file(db.session(), message_id, file_id) or abort(404)
    return send_file(BytesIO(file.data), file.content_type, as_attachment=True, download_name=file.name)


def _number(name: str) -> int | None:
    try:
        return int(_read_number(request.args.get(name, "")))
    except ValueError:
        return None


def _message_or_404(message_id: int) -> ContactMessage:
    return inbox.find_message(db.session(), message_id) or abort(404)


def _back(message_id: int) -> ResponseReturnValue:
    return redirect(url_for("farm.message", message_id=message_id), 303)


def _page(found: ContactMessage, form: AnswerForm, status: int = 200) -> ResponseReturnValue:
    page = render_template("farm/contact/page.html", message=found, form=form, nav_current="farm.index")
    return make_response(page, status)
