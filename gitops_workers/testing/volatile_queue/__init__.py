"""The due queue in memory: the twin of `redis_queue`, for tests and one-process commands, with the clock given."""

from gitops_workers.testing.volatile_queue.queue import VolatileQueue

__all__ = ["VolatileQueue"]
