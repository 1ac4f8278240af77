"""Statistics of properties of the elements in a composition: mean, deviation, and smooth extremes.

The extremes tell what a mean hides, as in the features of Magpie (Ward et al. 2016, doi:10.1038/npjcompumats.2016.28);
there they are those of all elements present, which jump where a fraction reaches 0. Here the weight of element i in the
maximum of property t is

s_i exp(SHARPNESS min(max(t_i, -LARGEST), LARGEST)),    s_i = x_i^4 / (x_i^4 + PRESENT^4)

so that an element vanishes from it smoothly with its fraction; without the limits an amount of 1e-5 of an element with
an extreme property would decide.
"""

from __future__ import annotations

import torch
from torch import nn

from core.predictors.features.element_features import element_features

PRESENT = 0.01  # fraction of an element at which s is 1/2
SHARPNESS = 4.0  # per standard deviation of a property over the elements
LARGEST = 1.5  # standard deviations
LEAST_VARIANCE = 1e-4


class ElementStatistics(nn.Module):
    """Compositions (n, 118) -> statistics (n, 4 p + 2 q), in the dtype and on the device of the compositions.

    properties : (118, p), each column of mean 0 and standard deviation 1: mean, deviation, maximum and minimum

    Of the q `element_features`, whose means and deviations are features of the kernel, the maximum and the minimum.
    """

    properties: torch.Tensor
    of_extremes: torch.Tensor

    def __init__(self, properties: torch.Tensor):
        super().__init__()
        properties = properties.float()
        self.register_buffer("properties", properties, persistent=False)
        of_extremes = torch.cat([properties, element_features()], dim=1)
        self.register_buffer("of_extremes", of_extremes, persistent=False)

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """See the class."""
        properties, of_extremes = self.properties.to(composition), self.of_extremes.to(composition)
        mean = composition @ properties
        variance = composition @ properties.square() - mean.square()
        # Rounding makes a variance of 0 slightly negative; clamped at 0 it would lose its gradient.
        deviation = (variance + LEAST_VARIANCE).clamp_min(LEAST_VARIANCE / 2).sqrt()
        fourth = composition.square().square()
        present = fourth / (fourth + PRESENT**4)
        return torch.cat([mean, deviation, _maximum(present, of_extremes), -_maximum(present, -of_extremes)], dim=1)


def _maximum(present: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """s (n, 118), values (118, p) -> smooth maxima (n, p)."""
    factor = (SHARPNESS * values.clamp(-LARGEST, LARGEST)).exp()
    return (present @ (factor * values)) / (present @ factor).clamp_min(torch.finfo(present.dtype).tiny)
