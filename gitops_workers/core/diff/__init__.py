"""Comparison: desired objects beside live ones, and which differences count.

What may be in it: how a manifest is normalized, who owns a field, what is ignored, what a sync left behind as the
baseline.
"""
