"""How `weightwatch watch` shows runs: a table that fits the terminal, or a line for each change."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tb_weightwatch.cli.follow.change_lines import ChangeLines
from tb_weightwatch.cli.follow.followed_run import LaunchRow
from tb_weightwatch.cli.follow.live_table import picture

NOW = 1_790_000_012.0


def row(name: str, **changes: object) -> LaunchRow:
    """Returns what is shown of a launch that trains and is healthy."""
    texts = {"state_text": "training, at step 12", "answer": "Healthy: kernels move by 1e-3 of their norm per step"}
    plain = LaunchRow(name, "", "training", texts["state_text"], 12, "healthy", texts["answer"], "", "0.5", NOW, NOW)
    return plain._replace(**changes)


SICK = {"status": "sick", "link": "optimizer", "answer": "502 learning-rate-too-small: " + "The rate is too small " * 4}


def text_of(lines: list[list[tuple[str, str]]]) -> list[str]:
    return ["".join(part for part, _ in line) for line in lines]


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_table_fits_the_terminal(width: int) -> None:
    """No line is wider than the terminal, and wide characters, long names and answers are wrapped."""
    long = "名前/of-wide-characters-and-a-very-long-name/lr-1e-10"
    rows = [row(long, **SICK), row("b", launch="a1", loss="-1.23e-10")]
    lines = text_of(picture(rows, NOW + 75, (width, 40)))
    assert max(map(cell_len, lines)) <= width
    shown = " ".join(lines)
    for text in ("SICK", "502", "optimizer", "1 min ago", "-1.23e-10", "b (a1)"):
        assert text in shown
    assert lines[-1] == "2 launches, 2 training: 1 sick, 1 healthy."


@pytest.mark.parametrize(("width", "height"), [(80, 10), (140, 12), (80, 24)])
def test_the_table_is_no_higher_than_the_terminal(width: int, height: int) -> None:
    """Those that train are shown, then sick ones, then the newest; the others are counted."""
    ended = [row(f"old-{i}", state="ended", started=float(i)) for i in range(50)]
    rows = [*ended, row("sick", state="ended", **SICK), row("live")]
    lines = text_of(picture(rows, NOW, (width, height), unread=1200))
    assert len(lines) < height and max(map(cell_len, lines)) <= width
    assert any("live" in line for line in lines) and any("SICK" in line for line in lines)
    totals = " ".join(lines[-2:])
    assert "not shown. 1,200 runs not read yet." in totals and "52 launches, 1 training" in totals
    assert "old-0 " not in " ".join(lines)


def test_names_cannot_control_the_terminal() -> None:
    """Escape sequences and direction marks in names and answers are made visible."""
    evil = row("\x1b[2J\u202ename", answer="\x1b]0;x\x07", launch="\x1b")
    for width in (80, 140):
        assert not [c for line in text_of(picture([evil], NOW, (width, 20))) for c in line if c in "\x1b\u202e\x07"]


def test_a_line_for_each_change(capsys: pytest.CaptureFixture[str]) -> None:
    """A launch gets a line when it appears, and when state or answer change; not for each step."""
    lines = ChangeLines()
    lines.show([], NOW, "there is no log directory 'x'")
    lines.show([row("a")], NOW, "")
    lines.show([row("a", step=99, loss="0.4", state_text="training, at step 99", last=NOW + 1)], NOW, "")
    lines.show([row("a", **SICK), row("b")], NOW, "")
    lines.show([row("a", **SICK, state="ended", state_text="ended after 100 steps", launch="a1"), row("b")], NOW, "")
    shown = [line[10:] for line in capsys.readouterr().out.split("\n") if line]
    assert [line.split(":")[0] for line in shown[2:]] == ["a", "a", "b", "a (a1)"]
    assert shown[2] == "a: training, at step 12, loss 0.5; HEALTHY: kernels move by 1e-3 of their norm per step"
    assert "SICK (optimizer): 502 learning-rate-too-small" in shown[3]
