"""Operations: what changes a cluster, one short step after the other."""
