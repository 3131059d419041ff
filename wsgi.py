"""The server's entry: `granian --interface wsgi wsgi:app`, and `flask` finds the application here."""

import os
import sys

from portal import create_app
from portal.infra import schema
from portal.profile import legal
from portal.settings import BadSettings, Mode, Settings

try:
    app = create_app(Settings.from_environment(os.environ))
    if "FLASK_RUN_FROM_CLI" not in os.environ:  # `flask db upgrade` must start on an old database
        schema.check(app)
        if app.config["SETTINGS"].mode is Mode.PRODUCTION:
            legal.warn(app)
except BadSettings as error:
    sys.exit(str(error))
