"""The forms of passwords, wherever one is set or asked for."""

from typing import Any

from wtforms import Form, PasswordField, ValidationError
from wtforms.validators import InputRequired, Length

from portal.accounts import passphrases
from portal.accounts.models import Account
from portal.rules.passwords import MAX_CHARACTERS, PasswordFault, password_fault
from portal.web.forms import once
from portal.web.i18n import lazy_gettext as _l

FAULTS = {
    PasswordFault.TOO_SHORT: _l(
        "Ce mot de passe est trop court : allez jusqu'à 12 caractères, ou faites-en une phrase de sept mots."
    ),
    PasswordFault.TOO_SIMPLE: _l(
        "Ce mot de passe est trop simple : mêlez majuscules, minuscules, chiffres et signes,"
        " ou faites-en une phrase de sept mots."
    ),
    PasswordFault.COMMON: _l("Ce mot de passe est de ceux que l'on essaie en premier : prenez-en un autre."),
    PasswordFault.PERSONAL: _l(
        "Ce mot de passe contient votre nom ou votre adresse e-mail, que d'autres connaissent. Enlevez-les."
    ),
    PasswordFault.TOO_LONG: _l("Ce mot de passe est trop long : 256 caractères au plus."),
}


class CurrentPasswordForm(Form):
    password = PasswordField(
        _l("Mot de passe actuel"),
        [
            once,
            InputRequired(_l("Indiquez votre mot de passe actuel.")),
            # hashing what nobody can have chosen is work for nothing (BAR S9)
            Length(max=MAX_CHARACTERS, message=_l("Ce n'est pas votre mot de passe actuel.")),
        ],
    )


class NewPasswordForm(Form):
    new_password = PasswordField(_l("Nouveau mot de passe"), [once])

    def __init__(self, formdata: Any, account: Account) -> None:
        super().__init__(formdata)
        self._known_of_person: tuple[str, ...] = (account.full_name, account.email.partition("@")[0])

    @property
    def suggestion(self) -> str:
        """A passphrase drawn by lot that is taken: for Violette, one without her name."""
        phrase = passphrases.draw()
        while password_fault(phrase, context=self._known_of_person):
            phrase = passphrases.draw()
        return phrase

    def validate_new_password(self, field: PasswordField) -> None:
        typed = field.data or ""
        if not typed:
            raise ValidationError(str(_l("Indiquez un nouveau mot de passe.")))
        if fault := password_fault(typed, context=self._known_of_person):
            raise ValidationError(str(FAULTS[fault]))
