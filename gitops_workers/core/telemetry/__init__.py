"""Telemetry: heartbeats of processes, figures they add up, and the audit trail of requests."""
