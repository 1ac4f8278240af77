"""The teaching page: the method with its equations, and interactive demonstrations."""

from __future__ import annotations

import streamlit as st

from app.learn.diffusion import diffusion
from app.learn.integer_loss import integer_loss
from app.learn.method import method
from app.learn.table_image import table_image

PAPERS = """
- **KIAGO**: A. Fujii *et al.*, *Digital Discovery* **2025**, 4, 3662,
  [doi:10.1039/d5dd00250h](https://doi.org/10.1039/d5dd00250h). The method of this app.
- **GDMCD**, its predecessor: gradient-based design with the same integer loss, towards a target Tc, from known
  superconductors and mixtures of two, with two elements that may stay fractional (a preset in the settings).
- **The periodic-table image**: T. Konno *et al.*, *Phys. Rev. B* **2021**, 103, 014509,
  [doi:10.1103/PhysRevB.103.014509](https://doi.org/10.1103/PhysRevB.103.014509).
- **The published model of the formation energy**: D. Jha *et al.*, *Sci. Rep.* **2018**, 8, 17593,
  [doi:10.1038/s41598-018-35934-y](https://doi.org/10.1038/s41598-018-35934-y).
"""


def page() -> None:
    """The method, then the demonstrations, then the papers."""
    st.title("How a superconductor is designed by gradient", anchor=False)
    st.markdown(
        "A differentiable model that predicts *T*<sub>c</sub> from a composition also gives the direction in which "
        "the composition must change for *T*<sub>c</sub> to rise: the gradient. The method changes many compositions "
        "at once along their gradients.",
        unsafe_allow_html=True,
    )
    method()
    st.divider()
    integer_loss()
    st.divider()
    table_image()
    st.divider()
    diffusion()
    st.divider()
    st.subheader("Read more", anchor=False)
    st.markdown(PAPERS)
