"""Settings of an installation: what `argocd-cm` says about every Argo CD application.

What may be in it: the settings as values, their version, and their effect on applications and objects.
"""
