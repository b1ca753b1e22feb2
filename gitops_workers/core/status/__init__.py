"""Statuses: what users see of an application, and what of it deserves their attention.

What may be in it: rows, conditions, listings and events, made from values that an attempt has found.
"""
