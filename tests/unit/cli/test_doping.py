"""doping: the table and the plot."""

from __future__ import annotations

import csv
import io
from xml.etree import ElementTree

from core.cli.main import main


def test_doping_writes_a_table_and_a_plot(tmp_path, capsys):
    plot = tmp_path / "plot.svg"
    assert main(["doping", "La2-xSrxCuO4, x = 0..0.3 in 4 steps", "--figure", str(plot)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    predicted = [row for row in rows if row["kind"] == "predicted"]
    assert [float(row["x"]) for row in predicted] == [0, 0.1, 0.2, 0.3]
    root = ElementTree.parse(plot).getroot()
    assert len(root.findall("{*}circle")) == len(rows) - 4 > 10
    (line,) = root.findall("{*}polyline")
    heights = [float(point.split(",")[1]) for point in line.attrib["points"].split()]
    tc = [float(row["tc_K"]) for row in predicted]
    assert sorted(range(4), key=lambda i: heights[i]) == sorted(range(4), key=lambda i: -tc[i])
