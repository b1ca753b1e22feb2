"""Text formats: what a glob, a version, a scalar, a path or a duration means, and how values are written.

What may be in it: functions from text to values and back that know nothing of applications.
"""
