"""Where adapters meet ports: the only package that knows which implementation a process uses."""
