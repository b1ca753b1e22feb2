"""One engine for the GitOps manifests people already have: Argo CD's and Flux's, run as Celery tasks.

`core` decides and never touches the world; `dialects` turns manifests into the core's values and back; `adapters` are
the hands (Git, renderers, clusters, Redis); `pipeline` puts the stages in order; `cli`, `web` and `console` are what
people see; `local` is what one machine needs to run all of it. When something is due is decided next door, in
`scheduler`, which knows this package; this package never knows the scheduler.
"""
