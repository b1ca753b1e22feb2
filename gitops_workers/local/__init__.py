"""Everything that makes one machine enough: the pinned tools and the servers of a laptop, the demo and the tests.

A module here starts something real (Redis, Kubernetes control planes, a Git server, the project's processes) as a
child that cannot outlive us, or builds the programs those need. Nothing here is used by a production installation,
where every one of these is somebody's managed service, except `toolchain`, which also fills the container image. No
decision about applications belongs here, and nothing here is imported by `core`, `dialects` or `adapters`, with one
exception: an adapter that runs a tool asks `toolchain` where it is.
"""
