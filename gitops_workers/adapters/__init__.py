"""The adapters: one port each, on real servers or in memory. Siblings never import each other."""
