"""The catalogue: from declared manifests to enrolled applications."""
