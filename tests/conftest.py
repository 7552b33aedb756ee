"""Settings of every test process, and of the processes that tests start."""

import os

# The networks of tests are tiny: a second thread would only wait for the first.
os.environ["OMP_NUM_THREADS"] = "1"
