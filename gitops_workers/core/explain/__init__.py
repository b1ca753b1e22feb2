"""Explanations: what the last attempt found at each stage, and why nothing happens now."""
