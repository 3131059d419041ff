"""What an invoice must say beside its figures, and who may not write one yet."""

from datetime import date
from enum import StrEnum


class VatRegime(StrEnum):
    """Whether the farm's sales bear VAT."""

    LIABLE = "liable"
    FRANCHISE = "franchise"
    """Below the thresholds (CGI 293 B, recodified in the CIBS)."""
    EXEMPT = "exempt"
    """An association whose sales are exempt (CGI 261, 7, 1°)."""


RECODIFIED = date(2026, 9, 1)
"""Since when VAT is in the CIBS (ordonnance n° 2025-1247 du 17 décembre 2025)."""
_EXEMPTIONS = {
    VatRegime.FRANCHISE: (
        "TVA non applicable, art. 293 B du CGI",
        "TVA non applicable, franchise en base, code des impositions sur les biens et services",
    ),
    VatRegime.EXEMPT: (
        "Exonération de TVA, art. 261, 7, 1° du CGI",
        "Exonération de TVA, code des impositions sur les biens et services",
    ),
}


class Mention(StrEnum):
    """What an invoice must say beside its figures."""

    NATURE = "nature"
    EXEMPTION = "exemption"
    ON_DEBITS = "on_debits"
    PENALTIES = "penalties"
    RECOVERY = "recovery"
    NO_DISCOUNT = "no_discount"


def mentions(
    regime: VatRegime,
    day: date,
    *,
    own: str | None = None,
    on_debits: bool = False,
    late_rate: int | None = None,
) -> dict[Mention, str]:
    """The law's words on what is issued that day, the same in every language.

    `own` stands in for those of the regime; `late_rate`, a year's in basis points, is said to companies (CGI 242
    nonies A, annexe II; Code de commerce, L441-9, L441-10 and D441-5).
    """
    said = {Mention.NATURE: "Nature des opérations : livraisons de biens"}
    if regime is not VatRegime.LIABLE:
        said[Mention.EXEMPTION] = own or _EXEMPTIONS[regime][day >= RECODIFIED]
    elif on_debits:
        said[Mention.ON_DEBITS] = "Option pour le paiement de la taxe d'après les débits"
    if late_rate is not None:
        said[Mention.PENALTIES] = (
            f"Pénalités de retard : {_percent(late_rate)} % l'an, exigibles sans qu'un rappel soit nécessaire"
        )
        said[Mention.RECOVERY] = "Indemnité forfaitaire pour frais de recouvrement en cas de retard : 40 €"
        said[Mention.NO_DISCOUNT] = "Pas d'escompte pour paiement anticipé"
    return said


def _percent(basis_points: int) -> str:
    whole, rest = divmod(basis_points, 100)
    return f"{whole},{rest:02}".rstrip("0").rstrip(",")


class SellerLack(StrEnum):
    """What the farm's card lacks to bill; its words are in the templates."""

    LEGAL_NAME = "legal_name"
    LEGAL_FORM = "legal_form"
    SIRET = "siret"
    ADDRESS = "address"
    VAT_NUMBER = "vat_number"


def lacks(
    regime: VatRegime,
    *,
    legal_name: str | None,
    legal_form: str | None,
    siret: str | None,
    address: str,
    vat_number: str | None,
) -> list[SellerLack]:
    """CGI 242 nonies A, annexe II; Code de commerce, R123-237 and R123-238."""
    missing = {
        SellerLack.LEGAL_NAME: not legal_name,
        SellerLack.LEGAL_FORM: not legal_form,
        SellerLack.SIRET: not siret,
        SellerLack.ADDRESS: not address,
        SellerLack.VAT_NUMBER: regime is VatRegime.LIABLE and not vat_number,
    }
    return [lack for lack, there in missing.items() if there]
