"""The files of a commit as renders see them, found in git trees; nothing is checked out.

File contents are read only for kustomizations and charts, in the sandbox, once per blob.
"""
