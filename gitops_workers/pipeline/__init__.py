"""The stages in order: what happens to an application, from a due time to an outcome.

What may be in it: code that calls ports in the order of the design and hands values to `core`. No decision that a
table could test (those are in `core`), no client library (those are behind ports), no Celery.

    catalogue.py   manifests -> applications, poll groups, due times
    outside.py     what the manifests' meaning depends on besides them
    poll.py        one repository's refs, or one cluster's versions -> who has to be looked at
    attempt.py     one look at one application, readable on one screen
    stages.py      resolve, render, desired, compare, prune: each a function of the value before it
    sight.py       what they found, in one value
    decision.py    what was seen -> nothing, a remark, or one step of an operation
    step.py        the stages of an operation whose gates are open
    writes.py      fence, apply, delete: the only place that changes a cluster
    report.py      outcome -> status, history, events, next due time: the only writer of statuses
"""
