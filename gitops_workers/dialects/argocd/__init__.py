"""Argo CD's manifests: Application, and the Secrets that describe clusters and repositories.

Shapes and defaults follow Argo CD 3.5; where its documents and its code disagree, the code.
"""
