"""Who the farm is."""

from calendar import monthrange
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, ValidationError
from wtforms.widgets import EmailInput, TelInput, TextArea, URLInput

from portal.farm import blueprint, staff
from portal.farm.product_forms import days_of_month, months
from portal.infra import clock
from portal.infra.orm import db
from portal.profile import legal, queries, services
from portal.profile.models import Accessibility
from portal.profile.queries import Farm
from portal.rules.money import Money
from portal.rules.permissions import Permission
from portal.web.forms import (
    Chosen,
    Typed,
    certifier,
    choices,
    email,
    euros,
    line,
    link,
    paragraphs,
    phone,
    postcode,
    prose,
    siret,
    vat_number,
    whole,
    write_euros,
)
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

COMMON_YEAR = 2027
"""A season that began on 29 February would not begin every year."""
ACCESSIBILITY = {
    Accessibility.NONE: _l("non conforme : aucun audit n'a été fait"),
    Accessibility.PARTIAL: _l("partiellement conforme, selon un audit"),
    Accessibility.FULL: _l("totalement conforme, selon un audit"),
    Accessibility.EXEMPT: _l(
        "microentreprise exemptée : moins de dix personnes, deux millions d'euros au plus"
    ),
}


class ProfileForm(Form):
    name = Typed(_l("Nom de la ferme"), line(120))
    tagline = Typed(_l("Phrase d'accueil"), prose(200), needed=False)
    email = Typed(_l("Adresse e-mail"), email, widget=EmailInput())
    phone = Typed(_l("Téléphone"), phone, widget=TelInput())
    phone_hours = Typed(_l("Heures du téléphone"), prose(120), needed=False)
    address = Typed(_l("Adresse"), line(200))
    postcode = Typed(_l("Code postal"), postcode)
    town = Typed(_l("Commune"), line(80))
    certifier = Typed(_l("Code du certificateur bio"), certifier, needed=False)
    certificate = Typed(_l("Lien vers le certificat"), link(300), needed=False, widget=URLInput())
    season_day = Chosen(_l("La saison commence le"))
    season_month = Chosen(_l("Mois"))
    legal_name = Typed(_l("Raison sociale"), line(160), needed=False)
    legal_form = Typed(_l("Forme juridique"), prose(120), needed=False)
    siret = Typed(_l("SIRET"), siret, needed=False)
    register = Typed(_l("Immatriculation"), line(120), needed=False)
    vat_number = Typed(_l("Numéro de TVA"), vat_number, needed=False)
    director = Typed(_l("Direction de la publication"), line(160), needed=False)
    host = Typed(_l("Hébergeur"), paragraphs(500), needed=False, widget=TextArea())
    mediator = Typed(_l("Médiateur de la consommation"), paragraphs(500), needed=False, widget=TextArea())
    mediator_site = Typed(_l("Site du médiateur"), link(300), needed=False, widget=URLInput())
    partner = Typed(_l("Partenaire solidaire"), line(160), needed=False)
    inactive_years = Typed(_l("Années sans nouvelles avant d'effacer un compte"), whole(1, 5))
    accessibility = Chosen(_l("Accessibilité du site"))
    birthday_gift = Typed(_l("Bon d'achat d'anniversaire"), euros(0, 99_99), write=write_euros, needed=False)

    def __init__(self, formdata: Any = None, farm: Farm | None = None, season_first: int = 0) -> None:
        month, number = divmod(season_first, 100)
        super().__init__(formdata, obj=farm, season_day=number, season_month=month)

    def process(self, *args: Any, **values: Any) -> None:
        self.season_day.choices = days_of_month()[1:]
        self.season_month.choices = months()[1:]
        self.accessibility.choices = choices((state, str(words)) for state, words in ACCESSIBILITY.items())
        super().process(*args, **values)

    def validate_certifier(self, field: Typed) -> None:
        need_with(self.certificate, field)

    def validate_certificate(self, field: Typed) -> None:
        need_with(self.certifier, field)

    def validate_season_day(self, field: Chosen) -> None:
        month = self.season_month.data
        if month and field.data and field.data > monthrange(COMMON_YEAR, month)[1]:
            raise ValidationError(_("La saison commence le : ce mois n'a pas autant de jours."))

    @property
    def values(self) -> dict[str, Any]:
        """The profile's own columns."""
        typed = self.data
        season_first = typed.pop("season_month") * 100 + typed.pop("season_day")
        return {
            **typed,
            "tagline": typed["tagline"] or "",
            "phone_hours": typed["phone_hours"] or "",
            "season_first": season_first,
            "birthday_gift": typed["birthday_gift"] or Money.zero(),
        }


def need_with(other: Typed, field: Typed) -> None:
    if other.data is not None and field.data is None and not field.errors:
        raise ValidationError(field.says(_("à remplir aussi, ou laissez les deux vides.")))


@blueprint.get("/reglages")
@needs(Permission.SETTINGS)
def settings() -> ResponseReturnValue:
    session = db.session()
    farm = queries.get_farm(session)
    return _page(ProfileForm(None, farm, queries.season_first(session)), farm)


@blueprint.post("/reglages")
@needs(Permission.SETTINGS)
def save_settings() -> ResponseReturnValue:
    form = ProfileForm(request.form)
    if not form.validate():
        return _page(form, queries.get_farm(db.session()), 422)
    changed = services.save_profile(db.session(), form.values, at=clock.now(), by=staff().id)
    flash(_("La fiche de la ferme est enregistrée.") if changed else _("Rien n'a changé."), "success")
    return redirect(url_for("farm.settings"), 303)


def _page(form: ProfileForm, farm: Farm, status: int = 200) -> ResponseReturnValue:
    lacks = legal.lacks(farm, queries.conditions_in_force(db.session()))
    page = render_template("farm/settings/page.html", form=form, lacks=lacks, nav_current="farm.index")
    return make_response(page, status)
