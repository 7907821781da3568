"""The number of threads that the native kernels may use."""

from __future__ import annotations

from ..errors import BackendError
from ..utils import checks

MAX_THREADS = 65535


def set_num_threads(n: int) -> None:
    """Set the largest number of threads that one native kernel call uses.

    It holds for the whole process. Small calls take fewer threads, and results do not depend on the
    number. It starts at the environment variable ``FASTNN_NUM_THREADS``, else at OpenMP's own
    default, which follows ``OMP_NUM_THREADS`` and the processors that the process may run on. The
    other back ends are single-threaded, and so is a process made by ``fork``.

    Where the system refuses threads (``ulimit -u``, a container's limit on processes), teams are as
    large as it allows. Each thread that trains or predicts finds that out when it first asks for so
    many, by creating them for a moment. GNU's OpenMP library ends a process that cannot create a
    thread, so a limit that is lowered, or used up by others, after that can still end it.

    Parameters
    ----------
    n : int
        At least 1; may exceed the number of processors.

    Raises
    ------
    ArgumentTypeError
        `n` is not an integer.
    ArgumentError
        `n` is less than 1, or more than 65,535.
    BackendError
        The native back end cannot be used, so there are no threads to set.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.set_num_threads(1)
    >>> fastnn.get_num_threads()
    1
    """
    threads = checks.integer("n", n, low=1, high=MAX_THREADS)
    _native().set_num_threads(threads)


def get_num_threads() -> int:
    """Return the largest number of threads that one native kernel call uses.

    Returns
    -------
    int
        The number set last by `set_num_threads`, or the default described there.

    Raises
    ------
    BackendError
        The native back end cannot be used.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.get_num_threads() >= 1
    True
    """
    return _native().get_num_threads()


def default_threads() -> int:
    """Return `get_num_threads()`, or 1 without the native back end."""
    try:
        return get_num_threads()
    except BackendError:
        return 1


def _native():
    try:
        from ..kernels import native
    except ImportError as error:
        raise BackendError(
            f"threads belong to the native back end, which is missing: {error}"
        ) from error
    return native
