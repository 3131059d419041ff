"""Statements as banks send them."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from portal.billing.statements import read, take_in
from tests.world import NOW

VERSIONS = (
    "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02",
    "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08",
)
IBAN = "FR7630006000011234567890189"


def entry(
    amount: str,
    label: str = "",
    name: str = "",
    *,
    new: bool = True,
    reference: str = "",
    day: str = "2026-06-05",
    more: str = "",
    status: str = "BOOK",
    currency: str = "EUR",
) -> str:
    """An entry of a camt.053, as versions from 04 on write it or as older ones do."""
    sign = "DBIT" if amount.startswith("-") else "CRDT"
    person = f"<Pty><Nm>{name}</Nm></Pty>" if new else f"<Nm>{name}</Nm>"
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount.lstrip("-")}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'
        f"<Sts>{f'<Cd>{status}</Cd>' if new else status}</Sts><BookgDt><Dt>{day}</Dt></BookgDt>"
        f"<AcctSvcrRef>{reference or 'NOTPROVIDED'}</AcctSvcrRef><NtryDtls>"
        + (more or f"<TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><RltdPties><Dbtr>{person}</Dbtr>"
           f"<DbtrAcct><Id><IBAN>{IBAN}</IBAN></Id></DbtrAcct></RltdPties>"
           f"<RmtInf><Ustrd>{label}</Ustrd></RmtInf></TxDtls>")
        + "</NtryDtls></Ntry>"
    )  # fmt: skip


def statement(entries: Sequence[str], version: str = VERSIONS[1], before: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<Document xmlns="{version}"><BkToCstmrStmt><Stmt>'
        f"<Acct><Id><IBAN>{IBAN}</IBAN></Id></Acct>{''.join(entries)}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


CSV = (
    "Compte courant n° 12345678901;;;\n"
    "Date;Libellé;Débit euros;Crédit euros\n"
    "05/06/2026;VIR MME CAMILLE AUBERT F2026-00001;;38,60\n"
    "06/06/2026;VIR YACINE BENALI;;12,00\n"
    "06/06/2026;VIR YACINE BENALI;;12,00\n"
    "05/06/26;PRLV EDF;-1 234,50;\n"
    "Solde au 06/06/2026;;;1 000,00\n"
).encode("cp1252")


def received(session: Session, data: bytes = CSV, *, by: int = 3) -> None:
    take_in(session, data, "releve.csv", read(data, {}), at=NOW, by=by)
