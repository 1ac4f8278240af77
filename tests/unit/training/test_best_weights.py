"""The weights of the best epoch are kept, also over an interruption."""

import json

from torch import nn

from core.training.best_weights import BestWeights, training_log


def test_the_weights_with_the_lowest_loss_are_kept(tmp_path):
    networks, losses = [nn.Linear(2, 1) for _ in range(3)], iter([2.0, 1.0, 3.0])
    best = BestWeights(tmp_path, lambda network: {"validation_loss": next(losses), "other": 7.0})
    assert [best(network)["validation_loss"] for network in networks] == [2.0, 1.0, 3.0]
    again, loaded = BestWeights(tmp_path, lambda network: {}), nn.Linear(2, 1)
    assert again.loss == 1.0
    again.load_into(loaded)
    assert loaded.weight.equal(networks[1].weight)


def test_the_log_has_the_first_some_and_the_best_epoch(tmp_path):
    lines = [{"epoch": epoch, "validation_loss": abs(epoch - 3.0)} for epoch in range(1, 6)]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert list(training_log(tmp_path, 2)) == ["1", "2", "4", "best: 3"]
