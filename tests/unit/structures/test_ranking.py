"""The learned ranking: scores, and a checkpoint that does not fit."""

import numpy as np
import pytest

from core.predictors import checkpoint
from core.predictors.control_model import pack
from core.structures import ranking
from core.structures.ranking import ARCHITECTURE, NAME, Ranking, load_ranking
from core.structures.ranking_features import NAMES


class Half:
    def predict(self, x, *, num_threads):
        return np.linspace(0.0, 1.0, len(x))


def test_scores_are_the_logarithms_of_the_odds():
    scores = Ranking(Half()).scores(np.zeros((5, len(NAMES))))
    np.testing.assert_allclose(scores[1:4], np.log([1 / 3, 1, 3]), atol=1e-12)
    assert np.isfinite(scores).all() and (np.diff(scores) > 0).all()
    assert Ranking(Half()).scores(np.zeros((0, len(NAMES)))).shape == (0,)


def test_trees_fitted_on_other_features_are_refused(tmp_path):
    import lightgbm

    data = lightgbm.Dataset(np.arange(40.0)[:, None], np.arange(40) > 20)
    trees = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, 2)
    checkpoint.save(NAME, {"trees": pack(trees)}, {"architecture": ARCHITECTURE, "features": ["x"]}, tmp_path)
    with pytest.raises(checkpoint.CheckpointError, match="other features"):
        load_ranking(tmp_path)
    ranking.load_ranking.cache_clear()
