"""The ports `Cluster`, `Records` and `Clusters` over HTTP: everything that speaks to a destination's API server.

`credentials` turns an access into headers and TLS, `transport` sends one request, `answers` turns an API server's
refusal into one of our errors, `discovery` knows what is served. On them stand `http_cluster` (objects), `records` (one
ConfigMap per application) and `registry` (which cluster is meant). Bodies are JSON as plain dicts: typed client models
cost ten times as much. The `kubernetes` package is not imported: it costs 34 MB in every worker process and 0.8 ms of
ours per request, against 8 MB and 0.3 ms for the standard library's connection (measured side by side).
"""
