"""The shop's papers: PDF files to download and to enclose with a mail."""

from dataclasses import asdict

from portal.infra import pdf
from portal.infra.outbox import File
from portal.profile.queries import ConditionsView, Farm
from portal.web.filters import day_year
from portal.web.i18n import gettext as _
from portal.web.i18n import language


def conditions_file(conditions: ConditionsView, farm: Farm) -> File:
    """The conditions of sale, to be enclosed with what is ordered under them (L221-13)."""
    data = pdf.render(
        "conditions",
        language=language(),
        farm=asdict(farm),
        title=_("Conditions générales de vente"),
        in_force=_("En vigueur depuis le %(day)s", day=day_year(conditions.day)),
        sections=[{"heading": heading, "text": text} for heading, text in conditions.sections],
    )
    return File(f"conditions-{conditions.day}.pdf", pdf.CONTENT_TYPE, data)
