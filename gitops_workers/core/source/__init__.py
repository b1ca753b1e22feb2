"""Sources: which repository and commit a manifest means, and what of it is kept.

What may be in it: revisions, names and addresses of repositories, paths inside them, and how they are polled.
"""
