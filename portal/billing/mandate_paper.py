"""What is signed: the mandate's words, and its PDF."""

from dataclasses import asdict, dataclass
from datetime import datetime

from portal.accounts.addresses import AddressView
from portal.infra import pdf
from portal.profile.queries import Farm
from portal.rules.cutoffs import local_day
from portal.rules.sepa import BankAccount
from portal.web.filters import day_year, of
from portal.web.i18n import gettext as _
from portal.web.i18n import language


@dataclass(frozen=True, slots=True)
class Creditor:
    """The farm, as it collects."""

    name: str
    number: str
    """Its ICS."""
    street: str
    postcode: str
    town: str


def words(name: str) -> list[str]:
    """What is agreed to, as the European Payments Council words it."""
    return [
        _(
            "En signant ce formulaire de mandat, vous autorisez (A) %(name)s à envoyer des "
            "instructions à votre banque pour débiter votre compte, et (B) votre banque à "
            "débiter votre compte conformément aux instructions %(of_name)s.",
            name=name,
            of_name=of(name),
        ),
        _(
            "Vous bénéficiez du droit d'être remboursé par votre banque selon les conditions "
            "décrites dans la convention que vous avez passée avec elle. Une demande de "
            "remboursement doit être présentée dans les 8 semaines suivant la date de débit de "
            "votre compte pour un prélèvement autorisé, et sans tarder, au plus tard dans les 13"
            " mois, pour un prélèvement non autorisé.",
        ),
        _(
            "Vos droits concernant le présent mandat sont expliqués dans un document que vous "
            "pouvez obtenir auprès de votre banque."
        ),
    ]


def write(
    reference: str, collector: Creditor, bank: BankAccount, debtor: AddressView, farm: Farm, *, at: datetime
) -> bytes:
    return pdf.render(
        "mandate",
        language=language(),
        farm=asdict(farm),
        title=_("Mandat de prélèvement SEPA"),
        reference=[_("Référence unique du mandat (RUM)"), reference],
        words=words(collector.name),
        parties=[
            {
                "heading": _("Créancier"),
                "facts": [
                    [_("Nom"), collector.name],
                    [_("Adresse"), f"{collector.street}\n{collector.postcode} {collector.town}"],
                    [_("Identifiant créancier SEPA (ICS)"), collector.number],
                ],
            },
            {
                "heading": _("Débiteur"),
                "facts": [
                    [_("Nom"), debtor.name],
                    [_("Adresse"), f"{debtor.street}\n{debtor.postcode} {debtor.town}"],
                    [
                        _("Compte (IBAN)"),
                        _("celui dont le numéro se termine par %(end)s", end=bank.last_four),
                    ],
                    *([[_("Banque"), bank.bank]] if bank.bank else []),
                    *([["BIC", bank.bic]] if bank.bic else []),
                ],
            },
        ],
        kind=[_("Type de paiement"), _("récurrent (prélèvements répétés)")],
        signed=[
            _("Signé"),
            _("en ligne, le %(day)s, par %(name)s", day=day_year(local_day(at)), name=debtor.name),
        ],
        close=_(
            "Par prudence, ce papier ne porte que la fin du numéro de compte. Le numéro entier, "
            "vérifié à la signature, est gardé chiffré et n'est donné qu'à la banque."
        ),
    )
