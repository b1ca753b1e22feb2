"""Clusters: which one a destination means, how it is reached, and which kinds every cluster has."""
