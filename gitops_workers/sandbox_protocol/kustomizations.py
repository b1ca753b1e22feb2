"""Under which names kustomize looks for a kustomization, in its order."""

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
