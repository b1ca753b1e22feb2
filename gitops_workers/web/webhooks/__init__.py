"""What Git servers say when somebody pushed.

One module per provider: a pure function from headers, body and secret to a `PushEvent`, to `Ignored`, or to a
`Rejected` that says why. `registry` knows which provider sent a request. Nothing here does I/O or decides what a push
causes: a payload is a hint that a repository may have changed, and everything that is applied is read from the
repository itself.
"""
