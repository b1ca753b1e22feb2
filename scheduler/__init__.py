"""When something is due, and nothing else: the beat side of the system.

`beat` is the Celery scheduler class, `due` the work of one tick, `refresh` the catalogue's place among what is due.
Every replica is active and none leads, because the store hands out each turn once. What belongs here runs in a process
that adds nothing to the memory of Celery's own command and needs no Git, no Kubernetes and no manifest: how long to
wait is decided by whoever finishes an attempt (`gitops_workers.core.scheduling.due`), what to do by the workers. This
package knows `gitops_workers`, never the reverse.
"""
