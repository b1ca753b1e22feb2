"""`/metrics`: the installation's figures, computed from the store at the scrape.

Argo CD's and Flux's names where the meaning is the same (Argo CD 3.5 docs, metrics; Flux 2.9 docs, monitoring), ours
begin with `gitops_`. Every replica tells the same and a restart forgets nothing, so one replica is scraped, not all.
`applications` is about rows, `fleet` about clusters, queues and processes, `sums` about what processes add up.
"""

from gitops_workers.web.metrics.registry import new_registry

__all__ = ["new_registry"]
