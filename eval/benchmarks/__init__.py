"""Public sets, one file each: its loader, its scoring rule, and what others published beside our figures."""

from collections.abc import Callable, Mapping

from eval.benchmarks import beir, chunking, clapnq, lihua, mtrag, multihop_rag, realtime_qa, squad, wice
from eval.benchmarks.data_files import MissingDataError
from eval.benchmarks.options import Options
from eval.benchmarks.report import BenchmarkReport, MetricRow, Published, table

__all__ = ["SUITES", "BenchmarkReport", "MetricRow", "Options", "Published", "Runner", "table"]

Runner = Callable[[Options], BenchmarkReport]


def _saying_what_is_missing(name: str, run: Runner) -> Runner:
    """Return a runner whose report says what is missing, in place of an error that would end a run of several sets."""

    def runner(options: Options) -> BenchmarkReport:
        try:
            return run(options)
        except MissingDataError as error:
            return BenchmarkReport(name=name, n=0, rows=(), settings={}, notes=(str(error),))

    return runner


SUITES: Mapping[str, Runner] = {
    module.NAME: _saying_what_is_missing(module.NAME, module.run)
    for module in (squad, clapnq, multihop_rag, chunking, wice, mtrag, lihua, beir, realtime_qa)
}
"""From the name of a public set to what runs it."""
