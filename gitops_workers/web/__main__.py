"""`python -m gitops_workers.web`: the web process, configured by the environment."""

from __future__ import annotations

import sys

from gitops_workers.runtime.process_memory import stay_small

if __name__ == "__main__":
    stay_small()
    from gitops_workers.web.process import main

    sys.exit(main())
