"""Scheduling: when an application is due, in which lane it waits, and who is polled together."""
