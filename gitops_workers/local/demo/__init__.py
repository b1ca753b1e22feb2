"""The demo: two clusters, a Git server, sample repositories, the whole engine, and a story that shows what it does.

`run` starts everything and ends it, `repositories` makes the Git side out of `samples/`, `scene` is what a step of
the story can reach, `story` tells it. Every claim of a step is checked at the API servers, never in our own status.
"""
