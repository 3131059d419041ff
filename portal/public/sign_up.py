"""In by a mailed code: whoever has an account is signed in, others begin one. The pages are the same until the code."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask import session as visit
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug import Response as BaseResponse
from wtforms import Form, HiddenField, PasswordField, ValidationError
from wtforms.widgets import EmailInput

from portal.accounts import answers, codes, services, sessions
from portal.accounts.entering import Way, enter, way_on
from portal.accounts.forms import NewPasswordForm
from portal.accounts.limits import CODES_OF_CLIENT, MAILS_OF_CLIENT, count_try
from portal.accounts.models import Account, CodePurpose, MailWish
from portal.accounts.people import Refusal
from portal.accounts.queries import find_account
from portal.accounts.signing_up import Person, sign_up
from portal.infra import clock, throttle
from portal.infra.orm import db
from portal.public import blueprint
from portal.public.sign_in import too_many
from portal.rules.consents import Topic
from portal.rules.passwords import password_fault
from portal.web import forms
from portal.web.addresses import doubt
from portal.web.forms import Chosen, Typed
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.limits import client_address
from portal.web.topics import TOPICS

TO_GIVE_NAME = timedelta(hours=1)
_KEY = "entering"
"""Whose mailbox is being proven, in the visit: `email`, `wish`, `next`; `since` once it is, `way` if by a provider,
`first_name` as who has invited them gave it."""


def _code(text: str) -> str:
    digits = "".join(text.split())
    if len(digits) == 6 and digits.isascii() and digits.isdigit():
        return digits
    raise ValueError(_("les six chiffres du mail."))


class AddressForm(Form):
    email = Typed(_l("Adresse e-mail"), lambda text: forms.email(text).lower(), widget=EmailInput())


class CodeForm(Form):
    code = Typed(_l("Code"), _code)


class PersonForm(NewPasswordForm):
    """Who begins an account; how they will come in: by a password of their own, our phrase, or mailed codes."""

    first_name = Typed(_l("Prénom"), forms.line(80), name="prenom")
    last_name = Typed(_l("Nom"), forms.line(80), name="nom")
    way = Chosen(
        _l("Pour vous connecter"),
        name="entree",
        choices=forms.choices((way, "") for way in ("mot-de-passe", "phrase", "code")),
        default="mot-de-passe",
    )
    phrase = HiddenField()

    def __init__(self, formdata: Any, email: str, first_name: str | None = None) -> None:
        super().__init__(formdata, Account(email=email, first_name="", last_name=""))
        if formdata is None:
            self.first_name.data = first_name
        self.new_password.label.text = _("Mot de passe")
        self._known_of_person += (self.first_name.data or "", self.last_name.data or "")
        drawn = self.phrase.data or ""
        if password_fault(drawn, context=self._known_of_person):
            self.phrase.data = self.suggestion

    def validate_new_password(self, field: PasswordField) -> None:
        if self.way.data == "mot-de-passe":
            super().validate_new_password(field)

    def validate_phrase(self, field: HiddenField) -> None:
        """It holds the name that was typed beside it: there is another by now."""
        if self.way.data == "phrase" and [field.data] != field.raw_data:
            raise ValidationError(_("La phrase contenait votre nom : en voici une autre."))

    def person(self, email: str, topics: dict[Topic, str]) -> Person:
        passwords = {"mot-de-passe": self.new_password.data, "phrase": self.phrase.data}
        return Person(email, self.first_name.data, self.last_name.data, passwords.get(self.way.data), topics)


@blueprint.route("/inscription", methods=["GET", "POST"])
def begin_account() -> ResponseReturnValue:
    return _ask(MailWish.SIGN_UP)


@blueprint.route("/connexion/code", methods=["GET", "POST"])
def ask_code() -> ResponseReturnValue:
    return _ask(MailWish.CODE)


def _ask(wish: MailWish) -> ResponseReturnValue:
    if current_user.is_authenticated:
        return _on()
    form = AddressForm(_sent())
    if request.method != "POST":
        return _address_page(form, wish=wish)
    if not form.validate() or doubt(form.email, request.form.get("sure", "")):
        return _address_page(form, 422, wish=wish)
    visit[_KEY] = {"email": form.email.data, "wish": wish, "next": request.args.get("next", "")}
    return _mail_code(partial(_address_page, wish=wish), form)


def _mail_code(page: Callable[..., Response], form: Form, *, again: bool = False) -> BaseResponse:
    """Have a code mailed to whom the visit names, unless the client asks for too many."""
    now = clock.now()
    counts = count_try((MAILS_OF_CLIENT, client_address()), now=now)
    if counts[0].exceeded:
        return too_many(page, form, counts)
    kept, browser, session = visit[_KEY], codes.browser(), db.session()
    answers.ask(session, MailWish(kept["wish"]), kept["email"], browser, at=now)
    # how many the address has had is not for the page to tell; how many this browser asked for, it knows itself
    if not codes.may_mail(session, CodePurpose.ENTER, f"{kept['email']} {browser}", at=now):
        flash(
            _("Assez de codes pour cette adresse : prenez celui du dernier mail, ou attendez une heure."),
            "warning",
        )
    elif again:
        flash(_("Un nouveau code part : prenez celui du dernier mail."), "success")
    return redirect(url_for("public.enter_code"), 303)


@blueprint.route("/connexion/code/saisie", methods=["GET", "POST"])
def enter_code() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return _on()
    if _KEY not in visit:
        return redirect(url_for("public.ask_code"), 303)
    form = CodeForm(_sent())
    if request.method != "POST":
        return _code_page(form)
    return _try_code(form) if form.validate() else _code_page(form, 422)


@blueprint.post("/connexion/code/renvoi")
def mail_code_again() -> ResponseReturnValue:
    if _KEY not in visit or current_user.is_authenticated:
        return redirect(url_for("public.ask_code"), 303)
    return _mail_code(_code_page, CodeForm(), again=True)


def _try_code(form: CodeForm) -> ResponseReturnValue:
    email, client, now = visit[_KEY]["email"], client_address(), clock.now()
    counts = count_try((CODES_OF_CLIENT, client), now=now)
    if counts[0].exceeded:
        return too_many(_code_page, form, counts)
    if not codes.use(CodePurpose.ENTER, email, form.code.data, at=now):
        return _code_page(form, 422, wrong=True)
    session = db.session()
    account = find_account(session, email)  # not before: who guesses is not to know, by the time either
    if account and not account.active:
        return _code_page(form, 422, wrong=True)
    throttle.take_back(session, CODES_OF_CLIENT, client)
    if account:
        return _let_in(account, now)
    sessions.renew()  # what is proven from here on is this browser's, whatever id it came with (BAR S1)
    visit[_KEY] = {**visit[_KEY], "since": now.isoformat()}
    return redirect(url_for("public.give_name"), 303)


@blueprint.route("/inscription/nom", methods=["GET", "POST"])
def give_name() -> ResponseReturnValue:
    kept, now = visit.get(_KEY, {}), clock.now()
    if current_user.is_authenticated:
        return _on()
    if "since" not in kept or now >= datetime.fromisoformat(kept["since"]) + TO_GIVE_NAME:
        return redirect(url_for("public.begin_account"), 303)
    form = PersonForm(_sent(), kept["email"], kept.get("first_name"))
    if request.method != "POST" or not form.validate():
        return _name_page(form, 422 if request.method == "POST" else 200)
    session = db.session()
    made = sign_up(session, form.person(kept["email"], _topics()), at=now)
    account = find_account(session, kept["email"]) if isinstance(made, Refusal) else made
    if account is None or not account.active:
        return redirect(url_for("public.begin_account"), 303)
    if account is not made and kept.get("way") == Way.SOCIAL:
        return redirect(url_for("security.login"), 303)  # whether that opens it is not for us to say
    if account is made:
        flash(_("Bienvenue %(name)s ! Votre compte est ouvert.", name=account.first_name), "success")
    return _let_in(account, now)


def go_on_proven(email: str, wanted: str, *, first_name: str | None = None, at: datetime) -> str:
    """Let who has a mailbox on a provider's word begin an account with it; the address where they give their name."""
    sessions.renew()  # what is proven from here on is this browser's, whatever id it came with (BAR S1)
    visit[_KEY] = {
        "email": email,
        "wish": MailWish.SIGN_UP,
        "next": wanted,
        "since": at.isoformat(),
        "way": Way.SOCIAL,
        "first_name": first_name,
    }
    return url_for("public.give_name")


def _let_in(account: Account, now: datetime) -> ResponseReturnValue:
    services.prove_mailbox(account, at=now)
    kept = visit.pop(_KEY)
    return redirect(enter(account, Way(kept.get("way", Way.CODE)), kept["next"]), 303)


def _topics() -> dict[Topic, str]:
    """What was ticked, with the words beside it."""
    ticked = request.form.getlist("sujet")
    return {topic: str(words.asks) for topic, words in TOPICS.items() if topic in ticked}


def _on() -> ResponseReturnValue:
    return redirect(way_on(cast(Account, current_user), request.args.get("next", "")), 303)


def _sent() -> Any:
    return request.form if request.method == "POST" else None


def _address_page(form: Form, status: int = 200, **context: Any) -> Response:
    return make_response(render_template("public/code/address.html", form=form, **context), status)


def _code_page(form: Form, status: int = 200, **context: Any) -> Response:
    kept = visit[_KEY]
    start = "public.begin_account" if kept["wish"] == MailWish.SIGN_UP else "public.ask_code"
    again = url_for(start, next=kept["next"] or None)
    page = render_template("public/code/code.html", form=form, email=kept["email"], start=again, **context)
    return make_response(page, status)


def _name_page(form: PersonForm, status: int) -> ResponseReturnValue:
    page = render_template(
        "public/code/name.html", form=form, email=visit[_KEY]["email"], topics=TOPICS, ticked=_topics()
    )
    return page, status
