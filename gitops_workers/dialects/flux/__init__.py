"""Flux's manifests: GitRepository, Kustomization, Receiver.

Shapes and defaults follow Flux 2.9, with three defaults where it has none: `interval` is 10 minutes (the setting
GITOPS_FLUX_INTERVAL says something else), `prune` false, and a missing `metadata.namespace` is `flux-system`.
"""

NAMESPACE = "flux-system"
INTERVAL = 600.0
