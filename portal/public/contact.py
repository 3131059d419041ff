"""Writing to the farm: open to everybody, filled in for who is signed in."""

from datetime import timedelta
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import Form
from wtforms.widgets import EmailInput, TelInput, TextArea

from portal.accounts.limits import count_try
from portal.infra import clock
from portal.infra.orm import db
from portal.infra.throttle import Limit
from portal.messages import contact as messages
from portal.messages import files
from portal.messages.contact import Written
from portal.messages.files import FileRefusal
from portal.messages.models import Subject
from portal.public import blueprint
from portal.web.forms import Chosen, Typed, choices, email, line, paragraphs, phone
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.limits import client_address, takes_uploads

MESSAGES_OF_CLIENT = Limit("messages of a client", 10, timedelta(hours=1))
COPIES_TO_ADDRESS = Limit("copies of messages to an address", 5, timedelta(hours=1))
"""Nobody fills a stranger's mailbox from here; the message itself arrives."""
TRAP = "site"
"""A field that people do not see and that machines fill in."""
SUBJECTS = {
    Subject.BOX: _l("Mon panier, une livraison, un point de retrait"),
    Subject.ORDER: _l("Une commande de la boutique"),
    Subject.INVOICE: _l("Une facture, un paiement"),
    Subject.JOINING: _l("M'abonner"),
    Subject.SIGN_IN: _l("Je n'arrive pas à me connecter"),
    Subject.TERMINATION: _l("Désabonnement définitif"),
    Subject.DELETION: _l("Suppression de compte"),
    Subject.TWO_ACCOUNTS: _l("J'ai deux comptes"),
    Subject.PERSONAL_DATA: _l("Mes données personnelles"),
    Subject.OTHER: _l("Autre motif"),
}


class ContactForm(Form):
    subject = Chosen(_l("Sujet"), name="sujet")
    name = Typed(_l("Prénom et nom"), line(160), name="nom")
    email = Typed(_l("Adresse e-mail"), email, name="email", widget=EmailInput())
    phone = Typed(_l("Téléphone (facultatif)"), phone, name="telephone", needed=False, widget=TelInput())
    text = Typed(_l("Message"), paragraphs(5000), name="message", widget=TextArea())

    def process(self, *args: Any, **values: Any) -> None:
        self.subject.choices = choices(
            [("", _("Choisissez")), *((key, str(SUBJECTS[key])) for key in SUBJECTS)]
        )
        super().process(*args, **values)


@blueprint.get("/contact")
def contact() -> ResponseReturnValue:
    known: dict[str, Any] = {"subject": request.args.get("sujet")}
    if current_user.is_authenticated:
        known |= {
            "name": current_user.full_name,
            "email": current_user.email,
            "phone": current_user.phone,
        }
    return _page(ContactForm(None, **known))


@blueprint.post("/contact")
@takes_uploads
def write() -> ResponseReturnValue:
    form, uploads = ContactForm(request.form), [u for u in request.files.getlist("fichiers") if u.filename]
    sent: dict[str, Any] = {"files_lost": bool(uploads)}
    if not form.validate():
        return _page(form, 422, **sent)
    if request.form.get(TRAP):
        return _page(form, 422, trapped=True, **sent)
    now = clock.now()
    of_client, of_address = count_try(
        (MESSAGES_OF_CLIENT, client_address()), (COPIES_TO_ADDRESS, form.email.data.casefold()), now=now
    )
    if of_client.exceeded:
        return _page(form, 429, busy=True, **sent)
    pieces = files.read([upload.stream for upload in uploads])
    if isinstance(pieces, FileRefusal):
        return _page(form, 422, file_refusal=pieces)
    message = messages.write(
        db.session(),
        Written(**form.data),
        pieces,
        account_id=current_user.id if current_user.is_authenticated else None,
        copy=not of_address.exceeded,
        at=now,
    )
    said = _("Merci, votre message est parti. Sa référence : %(reference)s.", reference=message.reference)
    if not of_address.exceeded:
        said += " " + _("Une copie vous arrive par mail ; regardez aussi dans les indésirables.")
    flash(said, "success")
    return redirect(url_for("public.contact"), 303)


def _page(form: ContactForm, status: int = 200, **context: Any) -> ResponseReturnValue:
    page = render_template(
        "public/contact.html",
        form=form,
        trap=TRAP,
        most_files=files.MOST_FILES,
        most_megabytes=files.MOST_BYTES // 1024 // 1024,
        **context,
    )
    return make_response(page, status)
