"""The server's entry: `granian --interface wsgi wsgi:app`, and `flask` finds the application here."""

import os
import sys

from portal import create_app
from portal.settings import BadSettings, Settings

try:
    app = create_app(Settings.from_environment(os.environ))
except BadSettings as error:
    sys.exit(str(error))
