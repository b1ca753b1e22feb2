"""Twins of the ports in memory, for the pipeline's and the property tests. Nothing imports them at run time.

What may be in it: one module or package per port that keeps its contract (`tests/contract` runs over both), with the
faults that tests inject. A wheel leaves it out.
"""
