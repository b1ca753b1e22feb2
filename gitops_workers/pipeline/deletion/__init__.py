"""The end of an application: its objects, its hooks, its record and its bookkeeping."""
