"""What a running process needs besides its work: threads, heartbeats, figures, memory."""
