"""Where cells may be computed: on this machine, or by a Dask scheduler that runs at an address."""

LOCAL = "local"


def check_cluster(kind: str) -> str:
    """The kind of a cluster itself, where there is such a one.

    Raises:
        ValueError: it is neither `local` nor an address.
    """
    if kind == LOCAL or "://" in kind:
        return kind
    raise ValueError(f"expected '{LOCAL}' or the address of a scheduler 'tcp://host:port'")
