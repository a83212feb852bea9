"""What notebooks show: HTML that is escaped, bounded and well-formed, curves without invented steps, and `ww.show`."""

from __future__ import annotations

import re
import sys
import types
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import tb_weightwatch as ww
from tb_weightwatch.answers import safe_diagnose
from tb_weightwatch.history import History
from tb_weightwatch.notebook import experiments_html, history_html
from tb_weightwatch.notebook.chain_picture import links_of
from tb_weightwatch.notebook.curve_picture import curve_svg, rates_svg
from tb_weightwatch.notebook.markup import escaped, with_code
from tb_weightwatch.notebook.series import loss, update_ratio
from tb_weightwatch.verdict import LINKS, Diagnosis, RateCurve, Unknown
from tests.support.suspected_run import MESSAGE, suspected
from tests.support.synthetic_history import VARIABLES, synthetic_history
from tests.support.tested_run import CURVE, EXPERIMENTS, diagnosis_with_experiments

HOSTILE = "</title></svg></pre><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\x1b[31m\u202e"
MOST_BYTES = 20_000
MAY_BE_IN_A_NOTEBOOK = {"div", "span", "b", "pre", "ul", "li", "svg", "g", "title", "rect", "path", "circle", "text"}


def parsed(html: str) -> ET.Element:
    """Returns the elements of HTML that is well-formed XML, too; no other elements than these, nothing that acts."""
    root = ET.fromstring(html)
    for element in root.iter():
        assert element.tag in MAY_BE_IN_A_NOTEBOOK
        assert not [name for name in element.attrib if name.startswith("on") or name in ("href", "src", "id", "class")]
    assert "http" not in html and "url(" not in html and "@import" not in html
    return root


def text_of(html: str) -> str:
    return " ".join("".join(parsed(html).itertext()).split())


def states(html: str) -> list[str]:
    """Returns what the chain says of the seven links, as a screen reader gets it."""
    label = next(svg.attrib["aria-label"] for svg in parsed(html).iter("svg") if "Data: " in svg.attrib["aria-label"])
    return [part.partition(": ")[2] for part in label.split("; ")]


# -- pages


def test_a_history_shows_answer_fix_chain_and_curves() -> None:
    """Sentence, fix, seven links with numbers, loss, update ratio, and how many steps were recorded."""
    history = synthetic_history(120, learning_rate=1e-10, update_norm=1e-12, loss=1.1)
    html, diagnosis = history._repr_html_(), safe_diagnose(history)
    assert html is not None
    shown = text_of(html)
    assert diagnosis.status == "sick"
    assert "SICK" in shown and " ".join(diagnosis.sentence.split()) in shown
    assert diagnosis.verdicts[0].fix.split("\n")[0].strip() in shown
    assert len(states(html)) == len(LINKS)
    assert states(html)[LINKS.index(diagnosis.verdicts[0].link)] == "breaks here"
    assert "Loss" in shown and "Update ratio of the whole model" in shown
    assert "120 of the steps 1 to 120 were recorded" in shown
    assert len(html.encode()) < MOST_BYTES


def test_a_diagnosis_shows_no_link_as_working() -> None:
    """Without its History a diagnosis knows what was said of a link, and else only how many of its checks passed."""
    history = synthetic_history(120)
    diagnosis = safe_diagnose(history)
    html = diagnosis._repr_html_()
    assert html is not None
    assert diagnosis.status == "healthy" and "HEALTHY" in text_of(html)
    assert all(re.fullmatch(r"\d+ checks? passed|cannot tell", words) for words in states(html))
    nothing = Diagnosis("undecided", "Cannot tell.", unknown=(Unknown("dead-relu", 201, "no layer was recorded"),))
    links = {link["title"]: link for link in links_of(nothing)}
    assert {link["state"] for link in links.values()} == {"unknown"}
    assert links["Activations"]["text"] == "no layer was recorded"


def test_suspects_and_their_links_are_shown() -> None:
    """The links of suspects are suspected, that of the symptom is affected, and the first suspect can be settled."""
    html = suspected()._repr_html_()
    assert html is not None
    assert MESSAGE in text_of(html)
    assert "Suspects: 502 learning-rate-too-small (62 %)" in text_of(html)
    assert "To settle it: Train 50 steps" in text_of(html)
    by_link = dict(zip(LINKS, states(html), strict=True))
    assert [by_link[link] for link in ("data", "gradient", "optimizer", "weight")] == ["suspected"] * 3 + ["affected"]


def test_a_report_shows_its_experiments() -> None:
    """Each experiment with its outcome, the learning rates that it tried, and the confirmed cause with its fix."""
    html = experiments_html(diagnosis_with_experiments(), EXPERIMENTS)
    shown = text_of(html)
    assert "Fix: Set the learning rate to 1e-3" in shown
    assert "learning-rate-sweep (confirmed, 156 steps, 1.4 s)" in shown
    assert "Not run: leaky-activation, unfreeze-and-apply" in shown
    assert "Fall of the loss by learning rate" in shown
    assert dict(zip(LINKS, states(html), strict=True))["optimizer"] == "breaks here"
    assert "No experiment has run" in text_of(experiments_html(None, ()))


def test_a_report_of_probe_renders_itself() -> None:
    """`ProbeReport._repr_html_` is the page of its diagnosis and experiments."""
    report = ww.ProbeReport(EXPERIMENTS, diagnosis_with_experiments(), 177, 4.1)
    assert report._repr_html_() == experiments_html(report.diagnosis, EXPERIMENTS)


def test_an_empty_history_says_so() -> None:
    """Without recorded steps there is no curve, and nothing works."""
    html = history_html(History("empty"))
    assert "no step was recorded" in text_of(html)
    assert "works" not in states(html)
    assert len(list(parsed(html).iter("svg"))) == 1  # the chain


@pytest.mark.parametrize("times", [1, 4000])
def test_hostile_text_stays_text(times: int) -> None:
    """Names, messages and fixes with markup, quotes or control characters are shown as they are, of bounded length."""
    text = HOSTILE * times
    variables = [{**v, "name": f"{text}{i}"} for i, v in enumerate(VARIABLES)]
    history = synthetic_history(120, variables=variables, loss=np.nan, gradient_norm=np.nan, gradient_nonfinite=9)
    verdict = replace(safe_diagnose(history).verdicts[0], message=text, fix=f"{text}\n\n    {text}\n{text}")
    base = diagnosis_with_experiments()
    sick = replace(base, sentence=text, verdicts=(verdict,) * 9, suspects=base.suspects * 9)
    experiments = tuple(replace(e, name=text, message=text) for e in EXPERIMENTS) * 9
    for html in (history._repr_html_(), sick._repr_html_(), experiments_html(sick, experiments)):
        assert html is not None
        parsed(html)
        assert "\x1b" not in html and "\u202e" not in html
        assert len(html.encode()) < MOST_BYTES
    assert "<script>alert(1)</script>" in text_of(str(sick._repr_html_()))


def test_code_of_a_fix_is_preformatted() -> None:
    """Lines that are indented are blocks of code with their own line breaks and blanks, the others are prose."""
    fix = "Do this:\n    a = 1\n      b = 2\nor that."
    (code,) = parsed(f"<div>{with_code(fix, 900)}</div>").iter("pre")
    assert code.text == "a = 1\n  b = 2"
    assert code.tail is not None and code.tail.strip() == "or that."


def test_text_is_cut_between_characters() -> None:
    """At most so many bytes are kept, and no character or entity is cut in two."""
    for text in ("a" * 99, "&" * 99, "名" * 99, "\U0001f600" * 99):
        cut = escaped(text, 50)
        assert len(cut.encode()) <= 50 + len("…".encode()) and cut.endswith("…")
        assert set(ET.fromstring(f"<b>{cut}</b>").text or "") == {text[0], "…"}
    assert escaped("short", 50) == "short"


# -- curves


def path_of(svg: str) -> str:
    """Returns the path of the curve, which is the second one."""
    return list(parsed(svg).iter("path"))[1].attrib["d"]


def test_gaps_are_gaps() -> None:
    """Only consecutive recorded steps are joined, and a step that stands alone is a dot."""
    steps = np.array([1, 2, 3, 4, 40, 41, 42, 80])
    path = path_of(curve_svg("Loss", steps, np.array([1.0, 1.1, 1.0, 1.2, 2.0, 2.1, 2.0, 1.5])))
    assert path.count("M") == 3
    assert path.count("L") == 5
    assert path.endswith("h0")


def test_a_long_run_is_drawn_by_columns_of_pixels() -> None:
    """A hundred thousand steps take a few kilobytes, and the extremes of each column are kept."""
    steps = np.arange(1, 100_001)
    values = np.sin(steps / 7.0)
    values[50_000] = 9.0
    svg = curve_svg("Loss", steps, values)
    assert len(svg) < 6_000
    assert path_of(svg).count("M") == 1
    assert "9" in [text.text for text in parsed(svg).iter("text")]


def test_zeros_and_nan_have_places_of_their_own() -> None:
    """On a logarithmic axis zeros are labelled marks below the curve, and NaN and infinities marks above it."""
    values = np.array([1e-3, 1e-5, 0.0, 0.0, np.nan, np.inf, 1e-4])
    shown = [text.text for text in parsed(curve_svg("Ratio", np.arange(1, 8), values)).iter("text")]
    assert "Ratio, log scale" in shown
    assert "0" in shown and "NaN, Inf" in shown
    for constant in (0.0, np.nan, np.inf, -2.0):
        parsed(curve_svg("Loss", np.array([5]), np.array([constant])))


def test_a_loss_below_zero_is_drawn_on_a_linear_axis() -> None:
    """A logarithm of negative numbers is never asked for."""
    svg = curve_svg("Loss", np.arange(1, 5), np.array([100.0, 1.0, -5.0, 0.1]))
    assert "log scale" not in svg and "NaN" not in svg


def test_only_recorded_values_are_in_the_series() -> None:
    """Steps without a loss are left out; the update ratio is that of all trainable variables together."""
    frozen = [{**v, "trainable": i != 3} for i, v in enumerate(VARIABLES)]
    history = synthetic_history(
        10, variables=frozen, update_norm=[3.0, 4.0, 0.0, np.nan], weight_norm=[30.0, 40.0, 0.0, 1.0]
    )
    steps, ratio = update_ratio(history)
    assert steps.tolist() == list(range(1, 11))
    assert np.allclose(ratio, 0.1)
    assert len(loss(synthetic_history(10, loss=None))[0]) == 0
    assert len(update_ratio(synthetic_history(10, update_norm=None))[0]) == 0
    still = synthetic_history(10, update_norm=0.0, weight_norm=0.0)
    assert np.all(update_ratio(still)[1] == 0.0)


def test_each_learning_rate_is_a_dot() -> None:
    """Rates with which the loss rises or is not finite are dots of their own colour, on the lower edge."""
    svg = rates_svg(CURVE)
    assert len(list(parsed(svg).iter("circle"))) == len(CURVE.rates)
    assert "red: it rises or is not finite" in svg
    assert "present: " in svg and "recommended: " in svg
    assert rates_svg(RateCurve((), ())) == ""
    parsed(rates_svg(RateCurve((0.1,), (float("nan"),))))


# -- show


class Kernel:
    """A stand-in for the interactive shell of IPython."""

    def has_trait(self, name: str) -> bool:
        return name == "kernel"


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands in for IPython in a Jupyter kernel; returns the list that gets what is displayed."""
    displayed: list[str] = []
    display = types.ModuleType("IPython.display")
    display.HTML = lambda text: text  # type: ignore[attr-defined]
    display.display = displayed.append  # type: ignore[attr-defined]
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = Kernel  # type: ignore[attr-defined]
    ipython.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.delenv("TENSORBOARD_PROXY_URL", raising=False)
    return displayed


def tensorboard_that(result: Any, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Makes TensorBoard's manager return this; returns the list that gets the arguments of each start."""
    from tensorboard import manager

    started: list[list[str]] = []
    monkeypatch.setattr(manager, "start", lambda arguments: (started.append(arguments), result)[1])
    return started


def launched(port: int) -> Any:
    from tensorboard import manager

    return manager.StartLaunched(info=types.SimpleNamespace(port=port))


def test_outside_of_a_notebook_show_says_what_to_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command can be copied into a shell, and the address selects the tab and the run."""
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    ww.show("logs/my runs", run="a/weightwatch")
    shown = capsys.readouterr().out
    assert "\n    tensorboard --logdir 'logs/my runs'\n" in shown
    assert "http://localhost:6006/#weightwatch&p.weightwatch.run=a%2Fweightwatch " in shown


def test_in_a_notebook_show_displays_a_frame(notebook: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The frame has the port of TensorBoard, and a fragment that selects tab, run and launch."""
    started = tensorboard_that(launched(6123), monkeypatch)
    ww.show("logs", run="</script>", launch="a-1", height=500)
    assert started == [["--logdir", "logs"]]
    (frame,) = notebook
    assert 'height="500"' in frame and "url.port = 6123" in frame
    assert 'url.hash = "weightwatch&p.weightwatch.run=%3C%2Fscript%3E&p.weightwatch.launch=a-1"' in frame


def test_a_proxy_is_respected(notebook: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """TENSORBOARD_PROXY_URL says where a hub serves the port, as for `%tensorboard`."""
    tensorboard_that(launched(6123), monkeypatch)
    monkeypatch.setenv("TENSORBOARD_PROXY_URL", "/proxy/%PORT%/</script>")
    ww.show("logs")
    (frame,) = notebook
    assert 'new URL("/proxy/6123/\\u003c/script>", window.location)' in frame
    assert "if (0)" in frame


def test_in_colab_tensorboard_displays_itself(
    notebook: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Colab has no ports; TensorBoard's own display knows its tunnel."""
    import tensorboard.notebook

    calls: list[dict[str, Any]] = []
    tensorboard_that(launched(6123), monkeypatch)
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    monkeypatch.setattr(tensorboard.notebook, "display", lambda **arguments: calls.append(arguments))
    ww.show("logs")
    assert calls == [{"port": 6123, "height": 800}]
    assert 'tab "Weight watch"' in capsys.readouterr().out
    assert not notebook


def test_a_tensorboard_that_does_not_start_is_an_error(notebook: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way of failing is a RuntimeError with the reason."""
    from tensorboard import manager

    failures = {
        "no data source": manager.StartFailed(exit_code=1, stdout="", stderr="no data source"),
        "TENSORBOARD_BINARY": manager.StartExecFailed(os_error=OSError("not found"), explicit_binary=None),
        "process 77": manager.StartTimedOut(pid=77),
    }
    for reason, result in failures.items():
        tensorboard_that(result, monkeypatch)
        with pytest.raises(RuntimeError, match=reason):
            ww.show("logs")
    assert not notebook
