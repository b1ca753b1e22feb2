"""The stages in order: what happens to an application, from a due time to an outcome.

What may be in it: code that calls ports in the order of the design and hands values to `core`. No decision that a
table could test (those are in `core`), no client library (those are behind ports), no Celery.

    catalogue/     manifests -> applications, poll groups, due times, and what their meaning depends on besides them
    polling/       one repository's refs, or one cluster's versions -> which applications have to be looked at
    reconcile/     one attempt: attempt.py is its data flow on one screen; stages, observation, decision, report
    operation/     an operation in steps; writes.py is the only module that changes a cluster
    deletion/      the end of an application and of its objects
    recovery/      records that vanished or were left half written
    context.py     every port and setting that the stages may reach, in one value
"""
