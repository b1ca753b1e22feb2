"""What runs inside a sandbox child: a fresh interpreter that parses and renders what anybody could have pushed.

Everything here may be handed hostile bytes and may die of them. It imports the standard library, PyYAML, orjson and
pure modules of `core` only, so that a child stays under 20 MB. The worker's side is `adapters.sandbox`.
"""
