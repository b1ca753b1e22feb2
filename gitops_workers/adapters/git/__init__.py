"""Git: the one place that runs the git program, and everything that stands between it and the world.

Seen from outside there are `GitSources` (the `Sources` port), `GitSettings`, `Turns` and nothing else. Inside, one
module each for a hostile thing: `address` reads URLs, `secret_files` carries credentials to a child, `command` runs git
with a fixed argv and a scrubbed environment, `transport` speaks to servers, `turns` bounds who waits for them,
`listing` shares what they said, `mirror` keeps one bare repository per repository and host, `batch` reads objects out
of it.

GitPython stands behind the same door: its URL guard is asked beside ours. Its commands are not used, because
`Git.execute` gives every child the worker's whole environment and `repo.git.*` passes options that run programs
(measured: `fetch --upload-pack=...`). Decisions about revisions are in `core.source.revisions`, none are here.
"""

from gitops_workers.adapters.git.settings import GitSettings
from gitops_workers.adapters.git.sources import GitSources
from gitops_workers.adapters.git.turns import Turns

__all__ = ["GitSettings", "GitSources", "Turns"]
