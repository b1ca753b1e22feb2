"""The `web` process: webhooks in, the REST API, metrics and health out.

It answers from the state store and rings the queue's doorbell; it never talks to a cluster or a Git server and needs no
credential of either, so that the one process that faces the network has the least to lose. Nothing here may import the
Kubernetes client or Celery.
"""
