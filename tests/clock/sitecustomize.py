"""Sets the clock of a child process that has this folder on its PYTHONPATH, for pictures that stay the same.

TEST_CLOCK_NS is what `time.time_ns` says: at the start, from where it runs on, or with TEST_CLOCK_STOPS always.
"""

import os
import time

if (_told := os.environ.get("TEST_CLOCK_NS")) is not None:
    _began_ns, _real = int(_told), time.time_ns
    _shift_ns = _began_ns - _real()
    time.time_ns = (lambda: _began_ns) if os.environ.get("TEST_CLOCK_STOPS") else (lambda: _real() + _shift_ns)
