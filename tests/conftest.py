"""Settings of every test process, and of the processes that tests start."""

import os

from hypothesis import settings

# The networks of tests are tiny: a second thread would only wait for the first.
os.environ["OMP_NUM_THREADS"] = "1"

# How long one example takes says more about the machine than about the code.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")
