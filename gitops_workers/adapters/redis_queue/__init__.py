"""Port `Queue` on Redis: intents, due times, leases, admission and the circuit breaker.

`queue.RedisQueue` is the port. The rules are Lua, five files that make one script: `members` (rows and indexes),
`breaker` (lanes that do not answer), `intents` (requests and leases), `dispatch` (what rings now), `upkeep` (what was
lost is found). A beat process lives on this package alone, so nothing may be imported here but redis-py and the ports.
"""

from gitops_workers.adapters.redis_queue.queue import RedisQueue

__all__ = ["RedisQueue"]
