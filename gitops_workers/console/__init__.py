"""Applications and Clusters pages inside Flower, as if they had always been there.

A subclass of Flower's application with three more pages, its templates and styles, and the `console` command of Celery.
The pages read the state store and change nothing; Flower itself is started read-only. Nothing here decides anything
about applications, and no other package imports this one.
"""
