"""Executors: the check of a query's products by processes of this machine, by Dask or by Ray.

    python examples/executors.py --executor processes --workers 2

One query runs twice, without an executor and with one, and the sums are compared. Exits 1 where they
differ. `dask` and `ray` need the extra of the same name; they take a cluster just as well: see
`dask_executor` and `ray_executor`. The workers see the shares that they work on.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from multiprocessing import get_context
from time import perf_counter
from typing import Any

from ipa import QueryParameters, RunOptions, generate_events, run_query
from ipa.errors import IpaError, ParameterError


@contextmanager
def process_executor(workers: int) -> Iterator[Executor]:
    """Processes of this machine."""
    with ProcessPoolExecutor(workers, get_context("spawn")) as executor:
        yield executor


@contextmanager
def dask_executor(workers: int) -> Iterator[Executor]:
    """Dask's: of processes that it starts here. On a cluster: `Client("tls://scheduler:8786", ...)`."""
    check_installed("dask", "distributed")
    import dask
    from distributed import Client

    # A task of the check has some 10 MB, of which Dask would warn.
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})
    with Client(n_workers=workers, threads_per_worker=1, dashboard_address=None) as client:
        # Not pure: two queries with the same parameters are two queries, with noise of their own.
        yield client.get_executor(pure=False)


@contextmanager
def ray_executor(workers: int) -> Iterator[Executor]:
    """Ray's: of processes that it starts here. On a cluster: `ray.init("auto")`."""
    check_installed("ray", "ray")
    import ray

    class RayExecutor(Executor):
        """Ray as an executor: a task that waits for a worker, and its reference as a future."""

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            """The future of fn(*args, **kwargs)."""
            future: Future[Any] = task.remote(fn, args, kwargs).future()
            return future

    def call(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The call, at the worker."""
        return fn(*args, **kwargs)

    ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
    task = ray.remote(max_retries=0)(call)
    try:
        yield RayExecutor()
    finally:
        ray.shutdown()


EXECUTORS: dict[str, Callable[[int], AbstractContextManager[Executor]]] = {
    "processes": process_executor,
    "dask": dask_executor,
    "ray": ray_executor,
}


def check_installed(extra: str, package: str) -> None:
    """Check that what an executor needs is there.

    Raises: ParameterError if it is not.
    """
    if find_spec(package) is None:
        raise ParameterError(
            f"this needs {package}, of the extra `{extra}`: pip install 'ipa-reference[{extra}]'"
        )


def main() -> int:
    """Run the query with and without the executor of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--executor", choices=EXECUTORS, default="processes", help="default: %(default)s"
    )
    parser.add_argument("--workers", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--events", type=int, default=5000, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="of events and runs")
    options = parser.parse_args()
    try:
        events = generate_events(options.events, seed=options.seed)
        parameters = QueryParameters(breakdowns=16, cap=100)
        found = []
        with EXECUTORS[options.executor](options.workers) as workers:
            workers.submit(int).result()  # so that starting up is not timed
            for name, executor in (("without", None), (options.executor, workers)):
                run_options = RunOptions(seed=options.seed, executor=executor)
                started = perf_counter()
                result = run_query(events, parameters, no_noise=True, options=run_options)
                print(f"{name:>9}: {perf_counter() - started:6.2f} s, sums {result.sums}")
                found.append(result.sums)
    except IpaError as error:
        print(f"executors.py: {error}", file=sys.stderr)
        return 2
    print("the same sums:", found[0] == found[1])
    return 0 if found[0] == found[1] else 1


if __name__ == "__main__":
    sys.exit(main())
