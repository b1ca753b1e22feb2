"""Deletes: the only package whose functions decide that an object goes.

What may be in it: prune candidates, the deletion of whole applications, and objects left in a former destination.
"""
