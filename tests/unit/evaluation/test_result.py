"""The result of a design."""

from core.evaluation.result import DesignResult
from core.problem.problem import DesignProblem
from tests.unit.evaluation.rows import row, table


def test_passing_keeps_the_order_by_rank():
    candidates = table(row(rank=1), row(rank=2, passes=False), row(rank=3))
    result = DesignResult(DesignProblem(base="MgB2"), "finished", {}, candidates, (), 0, "cpu")
    assert result.passing["rank"].tolist() == [1, 3]
