"""Syncs: what is applied in which order, and an operation as a state machine.

What may be in it: plans, phases, waves, hooks, options, windows, retries and requests for syncs. Deletes are made in
`core.prune`.
"""
