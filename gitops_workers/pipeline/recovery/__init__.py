"""Recovery: records that vanished or were left half written."""
