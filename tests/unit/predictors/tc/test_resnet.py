"""ResNet18: the kept taps give the full convolution, and the fused network is the same function."""

import pytest
import torch
from torch.nn import functional

from core.predictors.tc.resnet import ResNet18, TapConv2d, TcResNet
from core.predictors.tc.resnet_fused import FusedTcResNet


@pytest.mark.parametrize(
    ("size", "kernel", "stride"),
    [((7, 32), 7, 2), ((2, 8), 3, 1), ((2, 8), 3, 2), ((1, 4), 3, 1), ((1, 4), 3, 2), ((1, 2), 3, 2),
     ((1, 1), 3, 1), ((2, 8), 1, 2), ((1, 2), 1, 2)],
)  # fmt: skip
def test_tap_convolution_is_the_padded_convolution(size, kernel, stride):
    torch.manual_seed(0)
    image = torch.rand(3, 4, *size)
    full = torch.rand(5, 4, kernel, kernel)
    expected = functional.conv2d(image, full, stride=stride, padding=kernel // 2)
    ours = TapConv2d(4, 5, size, kernel, stride)
    used = [
        [t for t in range(kernel) if any(0 <= o * stride - kernel // 2 + t < length for o in range(outputs))]
        for length, outputs in zip(size, expected.shape[2:], strict=True)
    ]
    ours.weight.data = full[:, :, used[0]][:, :, :, used[1]]
    for dense in (False, True):
        ours.dense = dense
        assert torch.allclose(ours(image), expected, atol=1e-5)


def random_network() -> TcResNet:
    torch.manual_seed(3)
    network = ResNet18()
    for module in network.modules():  # statistics as after a training, not the identity
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            module.bias.data.normal_(0, 0.1)
    network.head.bias.data.fill_(3.0)
    return TcResNet("random", network).eval().requires_grad_(False)


def random_compositions(n: int = 16) -> torch.Tensor:
    # All fractions differ: equal fractions of lanthanoids would tie in the pooling, which has a kink there.
    x = torch.rand(n, 118) * (torch.rand(n, 118) < 0.05) + 1e-3 * torch.rand(n, 118)
    return x / x.sum(1, keepdim=True)


def test_fusing_does_not_change_the_function():
    plain = random_network()
    fused = FusedTcResNet(plain).eval()
    x = random_compositions()
    assert plain(x).std() > 0
    assert torch.allclose(fused(x), plain(x), rtol=1e-4, atol=1e-3)
    gradients = []
    for predictor in (plain, fused):
        leaf = x.clone().requires_grad_()
        gradients.append(torch.autograd.grad(predictor(leaf).sum(), leaf)[0])
    assert torch.allclose(gradients[0], gradients[1], rtol=1e-3, atol=1e-2)


def test_compositions_are_independent():
    fused = FusedTcResNet(random_network()).eval()
    x = random_compositions()
    assert torch.allclose(fused(x)[3:5], fused(x[3:5]), atol=1e-4)


def test_gradient_against_finite_differences():
    predictor = FusedTcResNet(random_network()).eval().double()
    x = random_compositions(2).double()
    direction = torch.randn_like(x)
    leaf = x.clone().requires_grad_()
    slope = (torch.autograd.grad(predictor(leaf).sum(), leaf)[0] * direction).sum()
    step = 1e-8  # so short that no ReLU changes its sign within it
    numeric = (predictor(x + step * direction).sum() - predictor(x - step * direction).sum()) / (2 * step)
    assert slope.item() == pytest.approx(numeric.item(), rel=1e-4)
