"""Rendering: how a source becomes objects, and which files that reads.

What may be in it: the values that describe a render and the rules for what it may read. The programs themselves run in
`sandboxed`.
"""
