"""Health rules of custom resources, one module per family of operators, as tables of `core.health.rules`.

Only rules live here: no lookup, no aggregation. A kind is added with a few lines of data; code is for the odd ones.
"""
