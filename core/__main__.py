"""Entry point of `python -m core`."""

import os
import sys

from core.cli.main import main

if __name__ == "__main__":
    # Threads that wait for each other sleep instead of spinning: on a busy machine the same steps take a fifth of the
    # time. OpenMP reads the variable when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(main())
