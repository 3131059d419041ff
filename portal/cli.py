"""The `flask` commands."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import IO

import click
from flask import Flask, render_template
from flask.cli import AppGroup

from portal.accounts import factors
from portal.accounts.queries import find_account, normalise_email
from portal.accounts.team import appoint
from portal.billing import archive, checking
from portal.billing.settings import seller_lacks
from portal.demo.books import MONTHS
from portal.demo.generate import SEED, USUAL_SUBSCRIBERS, NotEmptyError, generate
from portal.exchange import tables
from portal.exchange.tables import Format
from portal.infra import backup, clock, crypto, jobs, schema
from portal.infra.orm import db, own_reading, own_transaction
from portal.privacy import erasing
from portal.profile.legal import find_lacks
from portal.rules.cutoffs import local_day
from portal.rules.permissions import EVERYDAY, RoleName
from portal.settings import BadSettings, Mode
from portal.setup import reading, values, writing
from portal.setup.values import BadFarm, Reader


def register(app: Flask) -> None:
    @app.cli.command("worker")
    @click.option("--once", is_flag=True, help="Do what is to be done now, then stop: for cron.")
    def worker(once: bool) -> None:
        """Send mail, freeze deliveries, and what else runs beside the web server."""
        _check_schema(app)
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        jobs.run(app, stop, once=once)

    _register_demo(app)
    _register_copies(app)
    _register_secrets(app)
    _register_farm(app)
    _register_books(app)


def _register_demo(app: Flask) -> None:
    @app.cli.command("demo")
    @click.option("--subscribers", type=click.IntRange(min=1), default=USUAL_SUBSCRIBERS, show_default=True)
    @click.option("--seed", type=int, default=SEED, show_default=True, help="The same seed, the same farm.")
    @click.option(
        "--months", type=click.IntRange(min=0), default=MONTHS, show_default=True, help="Billed so far."
    )
    def demo(subscribers: int, seed: int, months: int) -> None:
        """Fill an empty database with the demo farm, as of today."""
        if app.config["SETTINGS"].mode is Mode.PRODUCTION:
            sys.exit("La ferme de démonstration a des mots de passe publics : elle ne va pas en production.")
        _check_schema(app)
        now = clock.now()
        try:
            made = generate(
                db.session(),
                subscribers=subscribers,
                seed=seed,
                months=months,
                today=local_day(now),
                now=now,
            )
        except NotEmptyError:
            sys.exit("La base contient déjà des comptes : la ferme de démonstration demande une base vide.")
        db.session.commit()
        click.echo(
            f"{made.accounts} comptes, {made.subscriptions} abonnements, {made.deliveries} livraisons, "
            f"{made.baskets} paniers livrés, {made.orders} commandes."
        )


def _register_books(app: Flask) -> None:
    books = AppGroup("ledger", help="The books: what everybody owes and has paid.")
    app.cli.add_command(books)

    @books.command("verify")
    def verify() -> None:
        """Go through all of it, and name the first that is not as it was entered."""
        _check_schema(app)
        with own_reading() as session:
            verdict = checking.verify(session)
        said = render_template("farm/payments/verdict.txt", verdict=verdict)
        if verdict.broken:
            sys.exit(said)
        click.echo(said)

    @books.command("export")
    @click.option("--year", type=click.IntRange(2000, 2999), help="Else all years.")
    @click.argument("file", type=click.File("wb"))
    def export(year: int | None, file: IO[bytes]) -> None:
        """Write the entries to FILE, a CSV with what each digest is over; « - » is the standard output."""
        _check_schema(app)
        with own_reading() as session:
            tables.write(file, Format.CSV, archive.columns(), archive.entries_of(session, year))


def _register_copies(app: Flask) -> None:
    @app.cli.command("upgrade")
    @click.option(
        "--backup/--no-backup", "copied", default=True, help="Copy to PORTAL_BACKUP_DIR what it holds."
    )
    def upgrade(copied: bool) -> None:
        """Bring the database to the program's version, or say in one line why not; the site may run meanwhile."""
        try:
            done = schema.upgrade(app, app.config["SETTINGS"].backup_dir if copied else None)
        except schema.UpgradeError as error:
            sys.exit(str(error))
        if done.before == done.after:
            click.echo(f"La base est à la version {done.after}, à jour.")
        else:
            there = f" ; la copie d'avant : {done.copy}" if done.copy else ""
            click.echo(f"La base est passée de la version {done.before or 'zéro'} à {done.after}{there}.")

    @app.cli.command("backup")
    @click.option("--to", type=click.Path(path_type=Path), help="A directory; else PORTAL_BACKUP_DIR.")
    def make_backup(to: Path | None) -> None:
        """Copy the database while the site runs; prints where the copy lies."""
        directory = to or app.config["SETTINGS"].backup_dir
        try:
            click.echo(backup.backup(db.engine.url, directory, clock.now()))
        except backup.BackupError as error:
            sys.exit(str(error))

    @app.cli.command("erase-again")
    def erase_again() -> None:
        """Forget again, after a restore, whoever was erased since the backup."""
        _check_schema(app)
        click.echo(f"{erasing.apply()} compte(s) effacé(s) de nouveau.")


def _register_secrets(app: Flask) -> None:
    @app.cli.command("lift-second-factor")
    @click.argument("email")
    def lift_second_factor(email: str) -> None:
        """Let in by the first factor alone who has lost phone and recovery codes; their owner is mailed."""
        _check_schema(app)
        with own_transaction() as session:
            account = find_account(session, normalise_email(email))
            lifted = account and factors.remove(session, account, at=clock.now(), by_owner=False)
        if not lifted:
            sys.exit("Ce compte n'existe pas, ou n'a pas de vérification en deux étapes.")
        click.echo("La vérification en deux étapes est arrêtée ; un mail le dit à la personne.")

    @app.cli.group("data-keys")
    def data_keys() -> None:
        """The keys of what is sealed in the database."""

    @data_keys.command("rotate")
    def rotate() -> None:
        """Seal under the first key of PORTAL_DATA_KEYS what is under another."""
        _check_schema(app)
        try:
            click.echo(f"Passé sous la première clé : {crypto.rotate()}. Les autres clés ne servent plus.")
        except crypto.Unsealable as error:
            sys.exit(
                f"Une valeur ne s'ouvre pas, et sa clé manque peut-être ({error}) : gardez toutes vos clés."
            )


def _register_farm(app: Flask) -> None:
    """What puts a farm into service, until there are screens for it."""

    @app.cli.command("setup")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    def set_up(file: Path) -> None:
        """Create or update tours, points, formulas and products: all that FILE says, or nothing."""
        _check_schema(app)
        try:
            with own_transaction() as session:
                report = writing.write(session, reading.read(file), clock.now())
        except BadFarm as error:
            sys.exit(str(error))
        click.echo(str(report))

    @app.cli.command("check")
    def check() -> None:
        """Say what the law still asks of the farm's card, conditions and invoices; fails while there is anything."""
        _check_schema(app)
        with own_transaction() as session:
            lacks = [*find_lacks(session), *seller_lacks(session, local_day(clock.now()))]
        if lacks:
            sys.exit(render_template("legal/lacks.txt", lacks=dict.fromkeys(map(str, lacks))))
        click.echo("La fiche de la ferme dit ce que la loi demande.")

    @app.cli.command("staff")
    @click.argument("email", callback=_taking(values.email))
    @click.option("--first-name", required=True, callback=_taking(values.person))
    @click.option("--last-name", required=True, callback=_taking(values.person))
    @click.option("--admin", is_flag=True, help="The admin's rights as well.")
    def staff(email: str, first_name: str, last_name: str, admin: bool) -> None:
        """Let somebody into the farm's pages, and mail a link to choose a password."""
        _check_schema(app)
        email = normalise_email(email)
        names = {"first_name": first_name, "last_name": last_name}
        with own_transaction() as session:
            roles = [*EVERYDAY, RoleName.ADMIN] if admin else EVERYDAY
            done = appoint(session, email, **names, roles=roles, at=clock.now(), by=None)
        if done is None:
            sys.exit(f"Le compte {email} est fermé : rien n'a changé.")
        rights = "compte créé" if done.created else "droits ajoutés" if done.promoted else "droits inchangés"
        mail = "un lien pour choisir son mot de passe part par mail" if done.mailed else "même mot de passe"
        click.echo(f"{email} : {rights}, {mail}.")


def _taking(reader: Reader) -> Callable[[click.Context, click.Parameter, str], str]:
    """What is typed on the command line is read as what is written in the farm's file."""

    def read(_context: click.Context, _parameter: click.Parameter, typed: str) -> str:
        try:
            return str(reader(typed))
        except BadFarm as error:
            raise click.BadParameter(error.says) from None

    return read


def _check_schema(app: Flask) -> None:
    try:
        schema.check(app)
    except BadSettings as error:
        sys.exit(str(error))
