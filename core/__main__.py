"""Entry point of `python -m core`."""

import os
import sys

from core.cli.main import main

if __name__ == "__main__":
    # Waiting threads sleep instead of spinning, which makes the steps five times as fast on a busy machine. OpenMP
    # reads the variable when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(main())
