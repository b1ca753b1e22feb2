"""The adapters: one port each, on real servers. Siblings never import each other; `wiring` puts them together.

What there can be many of has a recipe of one or two modules and one line of registration: a source in `wiring.sources`,
a renderer in `adapters.rendering.renderers`, a catalogue in `adapters.catalogues`.
"""
