"""The record: what a destination cluster remembers of an application, and its stored form."""
