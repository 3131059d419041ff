"""The portal by a clock that is CLOCK_AHEAD seconds away from the machine's: `tests.service.clock:app`.

`python -m tests.service.clock worker` is `flask worker` by the same clock. Nothing of the product knows of it.
"""

import os
import sys
from datetime import UTC, datetime, timedelta

import time_machine

ahead = timedelta(seconds=float(os.environ["CLOCK_AHEAD"]))
time_machine.travel(datetime.now(UTC) + ahead, tick=True).start()
datetime.now(UTC)  # it ticks from when it is first read

if __name__ == "__main__":
    from flask.cli import main

    sys.argv[:1] = ["flask", "--app", "wsgi"]
    sys.exit(main())
else:
    from wsgi import app

    app.config["PROPAGATE_EXCEPTIONS"] = False  # people get an answer, as they do in production
