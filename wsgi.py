"""The server's entry: `granian --interface wsgi wsgi:app`, and `flask` finds the application here."""

import gc
import os
import sys

gc.disable()  # loading leaves no garbage: to look for it takes a fifth of the start

from portal import create_app  # noqa: E402
from portal.infra import schema  # noqa: E402
from portal.profile import legal  # noqa: E402
from portal.settings import BadSettings, Mode, Settings  # noqa: E402

try:
    app = create_app(Settings.from_environment(os.environ))
    if "FLASK_RUN_FROM_CLI" not in os.environ:  # `flask upgrade` must start on an old database
        schema.check(app)
        if app.config["SETTINGS"].mode is Mode.PRODUCTION:
            legal.warn(app)
except BadSettings as error:
    sys.exit(str(error))
gc.freeze()
gc.set_threshold(10_000)  # most of what a page makes goes by itself: to look each 700 takes a thirtieth of it
gc.enable()
