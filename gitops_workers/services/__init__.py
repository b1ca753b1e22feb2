"""The use cases that people ask for: sync, rollback, delete, wait, history, diff, explain ...

Command line, REST API and Flower pages are faces: they read words, call one of these and show the answer, so that they
cannot differ. What is in this room takes frozen values and ports, returns frozen values, and raises `core.errors`; it
prints nothing and knows neither HTTP nor Celery. A use case that is to change something is made in two steps: it is
planned (`requests.sync`, `deletion.delete`, ...: everything that can be refused is refused here, with an event that
says so), and what was planned is submitted (`changes.submit`). So a command that names ten applications asks for
nothing where one of the ten is refused.
"""
