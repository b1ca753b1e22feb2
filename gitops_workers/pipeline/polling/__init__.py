"""Polls: which applications a commit, or a change in a cluster, concerns."""
