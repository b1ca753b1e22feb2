"""The reconcile core: pure decisions over frozen values.

What may be in it: functions and dataclasses that need nothing but their arguments and the standard library. No I/O, no
clock, no randomness, no third-party import; time comes in as a number, the outside world as a value. `import-linter`
checks the imports; the property tests check the rest.
"""
