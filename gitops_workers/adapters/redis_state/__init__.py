"""Port `State` on Redis: applications, documents, status rows with their indexes, and what the pages show.

`state.RedisState` is the port; every other module is one part of it. The keys of all of them are in
`gitops_workers.redis_keys`, the file to read first. Nothing here decides anything, and none of it is the last copy.
"""

from gitops_workers.adapters.redis_state.state import RedisState

__all__ = ["RedisState"]
