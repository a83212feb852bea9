"""`ww.summary`: functions in the manner of `tf.summary`, numpy in, the same History and verdicts out."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

import tb_weightwatch as ww
from tb_weightwatch.capture.measure import grouped_statistics
from tb_weightwatch.capture.summary import Writer


def writer_of(logdir: Any, **given: Any) -> Writer:
    return ww.summary.create_file_writer(logdir, **{"verbose": False, "overhead": None, **given})


def weights(*shape: int, scale: float = 1.0, seed: int = 0) -> np.ndarray:
    return (scale * np.random.default_rng(seed).normal(size=shape)).astype(np.float32)


def trained(writer: Writer, learning_rate: float, steps: int = 80) -> None:
    """Linear regression in numpy on real data, by plain gradient descent."""
    x, y = load_diabetes(return_X_y=True)
    x, y = (x - x.mean(0)) / x.std(0), (y - y.mean()) / y.std()
    w, b = np.zeros(10), np.zeros(1)
    for step in range(1, steps + 1):
        error = x @ w + b - y
        before = w.copy(), b.copy()
        gradients = 2 * x.T @ error / len(x), np.array([2 * error.mean()])
        w, b = w - learning_rate * gradients[0], b - learning_rate * gradients[1]
        named = zip(("model/w", "model/b"), zip(gradients, before, (w, b), strict=True), strict=True)
        assert ww.summary.update(step, dict(named), loss=(error**2).mean(), learning_rate=learning_rate, writer=writer)


def test_numbers_are_those_of_the_definition(tmp_path: Path) -> None:
    """The numbers of a step follow their definitions, both live and when read back."""
    g, before = weights(5, 3), weights(5, 3, seed=1)
    g[0] = 0
    after = before - np.float32(0.1) * g
    after[1] = before[1]
    with writer_of(tmp_path) as writer:
        assert ww.summary.update(1, {"dense/kernel": (g, before, after)}, loss=0.5, learning_rate=0.1)
    (history,) = ww.read(tmp_path)
    expected = {
        "gradient_norm": np.linalg.norm(g),
        "gradient_max": np.abs(g).max(),
        "gradient_zero_share": 3 / 15,
        "weight_norm": np.linalg.norm(after),
        "weight_std": after.std(),
        "update_norm": np.linalg.norm(after - before),
        "update_max": np.abs(after - before).max(),
        "changed_share": 9 / 15,
        "stuck_share": 3 / 15,
        "gradient_none": 0,
        "weight_nonfinite": 0,
    }
    for name, value in expected.items():
        for one in (history, writer.history):
            np.testing.assert_allclose(one.column(name), [[value]], rtol=1e-2, err_msg=name)
    assert history.loss.tolist() == [0.5]
    np.testing.assert_allclose(history.column("learning_rate"), 0.1)
    (variable,) = history.variables
    assert (variable.name, variable.shape, variable.dtype, variable.layer) == (
        "dense/kernel",
        (5, 3),
        "float32",
        "dense",
    )
    assert history.facts["recorder"] == {"kind": "summary"}
    assert history.facts["gradients"] == "raw"
    assert history.ended is not None
    assert history.ended.data["how"] == "completed"


def test_a_numpy_training_is_judged_like_any_other(tmp_path: Path) -> None:
    """A numpy training that learns is not sick, one with a learning rate of 0 is; the files say the same."""
    with writer_of(tmp_path / "good") as good:
        trained(good, 0.1)
    with writer_of(tmp_path / "still") as still:
        trained(still, 0.0)
    assert good.diagnosis.status != "sick"
    assert still.diagnosis.verdicts[0].name == "learning-rate-zero"
    for writer, name in ((good, "good"), (still, "still")):
        (history,) = ww.read(tmp_path / name)
        assert ww.diagnose(history) == writer.diagnosis


def test_rules_are_taken(tmp_path: Path) -> None:
    """A rule that is muted gives no verdict, live and read back; one that does not exist is an error."""
    with writer_of(tmp_path, rules={"learning-rate-zero": False}) as writer:
        trained(writer, 0.0)
    found = ww.diagnose(ww.read(tmp_path)[0])
    assert found == writer.diagnosis
    assert "learning-rate-zero" not in [v.name for v in found.verdicts]
    with pytest.raises(ValueError, match="lerning-rate"):
        writer_of(tmp_path / "other", rules={"lerning-rate": False})


def test_without_a_writer_nothing_happens() -> None:
    """As with tf.summary, without a default writer nothing is recorded, and arguments are not checked."""
    assert ww.summary.update(1, {"w": ([1.0], [1.0], [2.0])}) is False
    assert ww.summary.verdict(1, "odd", "Something is odd.", link="data") is False


def test_the_default_writer_is_the_innermost_and_of_this_thread(tmp_path: Path) -> None:
    """`as_default` can be nested; another thread has no default writer; `writer=` takes precedence."""
    one, other = writer_of(tmp_path / "one"), writer_of(tmp_path / "other")
    step = {"w": ([1.0], [1.0], [0.9])}
    with one.as_default() as given:
        assert given is one
        with other.as_default():
            assert ww.summary.update(1, step)
            assert ww.summary.update(1, step, writer=one)
        assert ww.summary.update(2, step)
        answers: list[bool] = []
        thread = threading.Thread(target=lambda: answers.append(ww.summary.update(3, step)))
        thread.start()
        thread.join()
        assert answers == [False]
    assert ww.summary.update(3, step) is False
    one.close()
    other.close()
    assert one.history.steps.tolist() == [1, 2]
    assert other.history.steps.tolist() == [1]


def test_closing(tmp_path: Path) -> None:
    """Closing twice does nothing; writing afterwards is an error; an exception in the block is recorded as the end."""
    writer = writer_of(tmp_path / "a")
    writer.close()
    writer.close()
    with pytest.raises(RuntimeError, match="closed"):
        ww.summary.update(1, {}, writer=writer)
    with pytest.raises(KeyError), writer_of(tmp_path / "b") as writer:
        ww.summary.update(1, {"w": ([1.0], [1.0], [0.9])})
        raise KeyError("mine")
    ended = ww.read(tmp_path / "b")[0].ended
    assert ended is not None
    assert ended.data == {"how": "exception", "detail": "KeyError", "meaning": "other", "after": 1}


def test_steps_may_leap_and_directions_know_it(tmp_path: Path) -> None:
    """The direction of a gradient is compared with that of the previous step only, never across missing steps."""
    g, w = weights(4), weights(4, seed=1)
    with writer_of(tmp_path) as writer:
        for step, sign in ((1, 1), (2, -1), (5, 1), (np.int64(6), 1)):
            ww.summary.update(step, {"w": (sign * g, w, w - g)})
    known = writer.history.known("gradient_cosine")[:, 0]
    assert known.tolist() == [False, True, False, True]
    np.testing.assert_allclose(writer.history.column("gradient_cosine")[known, 0], [-1, 1], atol=1e-2)


def test_a_variable_that_comes_later_has_no_past(tmp_path: Path) -> None:
    """A new variable, and one that is not given, are "not recorded", never zero."""
    g, w = weights(3), weights(3, seed=1)
    with writer_of(tmp_path) as writer:
        ww.summary.update(1, {"a": (g, w, w - g)})
        ww.summary.update(2, {"b": (g, w, w - g)})
        ww.summary.update(3, {"b": (g, w, w - g), "a": (g, w, w - g)})
    (history,) = ww.read(tmp_path)
    assert [v.name for v in history.variables] == ["a", "b"]
    assert history.known("update_norm").tolist() == [[True, False], [False, True], [True, True]]
    assert history.known("update_norm").tolist() == writer.history.known("update_norm").tolist()


def test_no_gradient_is_not_an_unknown_gradient(tmp_path: Path) -> None:
    """A gradient of None is recorded as None; UNSEEN, and a weight before of None, are recorded as not known."""
    w = weights(3)
    with writer_of(tmp_path) as writer:
        ww.summary.update(1, {"none": (None, w, w + 1), "unseen": (ww.summary.UNSEEN, None, w)})
    history = writer.history
    assert history.known("gradient_none").tolist() == [[True, False]]
    assert history.column("gradient_none")[0, 0] == 1
    assert history.known("update_norm").tolist() == [[True, False]]
    assert history.known("weight_norm").all()


def test_tensors_and_variables_are_taken(tmp_path: Path) -> None:
    """TensorFlow's tensors, variables, bfloat16 and IndexedSlices, and Keras' own, give what their arrays give."""
    keras, tf = pytest.importorskip("keras"), pytest.importorskip("tensorflow")
    g, before = weights(4, 2), weights(4, 2, seed=1)
    after = before - g
    slices = tf.IndexedSlices(tf.constant([[1.0, 0.0], [2.0, 3.0]]), tf.constant([2, 2]))
    moved = before.copy()
    moved[2] -= 1
    count = keras.Variable(1, dtype="int64")
    with writer_of(tmp_path) as writer:
        assert ww.summary.update(
            count,
            {
                "numpy": (g, before, after),
                "tensor": (tf.constant(g), tf.constant(before), tf.Variable(after)),
                "keras": (tf.constant(g), before, keras.Variable(after)),
                "list": (g.tolist(), before.tolist(), after.tolist()),
                "half": (tf.cast(g, tf.bfloat16), tf.cast(before, tf.bfloat16), tf.cast(after, tf.bfloat16)),
                "sparse": (slices, before, moved),
            },
            loss=tf.constant(2.0),
            learning_rate=keras.Variable(0.5),
        )
    history = writer.history
    norms = history.column("gradient_norm")[0]
    np.testing.assert_allclose(norms[:5], np.linalg.norm(g), rtol=1e-2)
    np.testing.assert_allclose(norms[5], np.hypot(3, 3), rtol=1e-2)  # rows with the same index add up
    zeros = history.column("gradient_zero_share")[0]
    assert zeros[5] == 0  # of the row that occurs, nothing is zero
    assert [v.dtype for v in history.variables] == ["float32", "float32", "float32", "float64", "bfloat16", "float32"]
    assert (history.loss[0], history.column("learning_rate")[0]) == (2.0, 0.5)


def test_a_sparse_gradient_tells_zeros_of_its_own_rows_only(tmp_path: Path) -> None:
    """Zeros of a sparse gradient are counted among the rows that occur."""
    tf = pytest.importorskip("tensorflow")
    slices = tf.IndexedSlices(tf.constant([[1.0, 0.0], [0.0, 3.0]]), tf.constant([0, 7]))
    with writer_of(tmp_path) as writer:
        ww.summary.update(1, {"table": (slices, weights(9, 2), weights(9, 2))})
        for rows, words in ((tf.constant([0, 9]), "rows 0 to 9"), (tf.constant([0]), "rows of shape")):
            odd = tf.IndexedSlices(slices.values, rows)
            with pytest.raises(ValueError, match=words):
                ww.summary.update(2, {"table": (odd, weights(9, 2), weights(9, 2))})
    np.testing.assert_allclose(writer.history.column("gradient_zero_share"), 0.5, rtol=1e-2)


def test_inside_a_graph_it_says_where_to_call_it(tmp_path: Path) -> None:
    """A tensor that has no value yet is an error that names the fix."""
    tf = pytest.importorskip("tensorflow")

    @tf.function(autograph=False)
    def step(x: Any) -> Any:
        ww.summary.update(1, {"w": (x, x, x + 1)})
        return x

    with writer_of(tmp_path), pytest.raises(TypeError, match="outside of it"):
        step(tf.constant([1.0]))


def test_through_the_users_own_writer(tmp_path: Path) -> None:
    """A tf.summary writer is accepted in place of a folder, and is not closed."""
    tf = pytest.importorskip("tensorflow")
    own = tf.summary.create_file_writer(str(tmp_path))
    with writer_of(own) as writer:
        ww.summary.update(1, {"w": ([1.0], [1.0], [0.9])})
    with own.as_default():
        tf.summary.scalar("theirs", 1.0, step=2)
    own.close()
    (history,) = ww.read(tmp_path)
    assert history.launch == writer.history.launch
    assert len(list(tmp_path.rglob("*tfevents*"))) == 1


G, W = [1.0, 2.0], [3.0, 4.0]
WRONG: dict[str, tuple[Any, Any, dict[str, Any], type[Exception], str]] = {
    "step 0": (0, {}, {}, ValueError, "1 or more"),
    "a negative step": (-3, {}, {}, ValueError, "1 or more"),
    "a broken step": (1.5, {}, {}, TypeError, "whole number"),
    "a true step": (True, {}, {}, TypeError, "whole number"),
    "a step in words": ("one", {}, {}, TypeError, "step must be"),
    "a step of many": ([1, 2], {}, {}, TypeError, "whole number"),
    "pairs": (9, [(G, W, W)], {}, TypeError, "weight_before, weight_after"),
    "a pair": (9, {"w": (W, W)}, {}, TypeError, "weight_before, weight_after"),
    "a name that is none": (9, {3: (G, W, W)}, {}, TypeError, "strings"),
    "no weight": (9, {"w": (G, W, None)}, {}, TypeError, "w: the weight after the step is missing"),
    "other shape of the gradient": (9, {"w": ([1.0], W, W)}, {}, ValueError, r"w: the gradient has shape \[1\]"),
    "other shape before": (9, {"w": (G, [1.0], W)}, {}, ValueError, r"w: weight_before has shape \[1\]"),
    "words": (9, {"w": (G, W, ["a", "b"])}, {}, TypeError, "w: weight_after must be an array"),
    "ragged": (9, {"w": (G, W, [[1.0], [1.0, 2.0]])}, {}, TypeError, "w: weight_after must be an array"),
    "a loss of each sample": (9, {}, {"loss": W}, ValueError, "loss must be one number"),
    "a loss in words": (9, {}, {"loss": "low"}, TypeError, "loss must be"),
    "a complex loss": (9, {}, {"loss": 1j}, TypeError, "loss must be a real number"),
    "a schedule": (9, {}, {"learning_rate": lambda step: 0.1}, TypeError, "learning_rate must be"),
    "a folder for a writer": (9, {}, {"writer": "logs"}, TypeError, "create_file_writer"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_named(case: str, tmp_path: Path) -> None:
    """Invalid arguments are an error that names the argument, and the recording goes on afterwards."""
    step, variables, further, kind, words = WRONG[case]
    with writer_of(tmp_path) as writer:
        with pytest.raises(kind, match=words):
            ww.summary.update(step, variables, **further)
        assert ww.summary.update(1, {"w": (G, W, [3.0, 4.5])}, loss=1)
    assert len(writer.history) == 1


def test_a_step_that_does_not_increase_is_an_error(tmp_path: Path) -> None:
    """A step that is not after the last one is an error."""
    with writer_of(tmp_path):
        ww.summary.update(5, {"w": (G, W, W)})
        for step in (5, 4):
            with pytest.raises(ValueError, match="must increase"):
                ww.summary.update(step, {"w": (G, W, W)})


def test_a_weight_that_was_not_copied_is_an_error(tmp_path: Path) -> None:
    """Weights before and after that share memory would never seem to move: an error that names the fix."""
    w = weights(6)
    frozen = weights(6)
    frozen.flags.writeable = False  # as JAX's arrays, and TensorFlow's tensors: what can't change needs no copy
    with writer_of(tmp_path):
        for before in (w, w[:], w.reshape(2, 3).reshape(6)):
            with pytest.raises(ValueError, match="copy the weight"):
                ww.summary.update(1, {"w": (w, before, w)})
        assert ww.summary.update(1, {"w": (w, frozen, frozen)})


def test_a_variable_that_was_not_copied_is_an_error(tmp_path: Path) -> None:
    """The same variable before and after is an error as well; the same immutable tensor is not."""
    tf = pytest.importorskip("tensorflow")
    variable, tensor = tf.Variable(W), tf.constant(W)
    with writer_of(tmp_path):
        with pytest.raises(ValueError, match="copy the weight"):
            ww.summary.update(1, {"w": (G, variable, variable)})
        assert ww.summary.update(1, {"w": (G, tensor, tensor)})


def test_odd_values_survive(tmp_path: Path) -> None:
    """NaN and infinities, empty weights, scalars, integers: recorded as they are, or not at all, never an error."""
    odd = np.array([np.nan, np.inf, -np.inf, 1e-30, 1e30], np.float32)
    with writer_of(tmp_path) as writer:
        variables = {
            "odd": (odd, np.ones(5, np.float32), odd),
            "empty": (np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 3))),
            "scalar": (np.float32(1), np.float32(1), np.float32(2)),
            "number": (1.0, 1.0, 2.0),
            "integer": (None, np.ones(3, int), np.ones(3, int)),
        }
        assert ww.summary.update(1, variables, loss=np.nan, learning_rate=np.float64(1e-3))
    history = writer.history
    assert history.column("weight_nonfinite")[0, :4].tolist() == [3, 0, 0, 0]
    assert not history.known("weight_norm")[0, 4]
    assert np.isnan(history.loss[0])
    assert history.known("loss")[0]


def test_a_verdict_of_ones_own(tmp_path: Path) -> None:
    """A logged verdict is a dated record, which is read back completely."""
    evidence = [ww.Evidence("loss", float("nan"), "", step=3)]
    with writer_of(tmp_path) as writer:
        assert ww.summary.verdict(3, "odd-loss", "The loss is odd.", link="loss", severity="error", code=901,
                                  variables=["a"], fix="Look at the data.", evidence=evidence)  # fmt: skip
        assert ww.summary.verdict(4, "plain", "Nothing much.", link="data", evidence={"share": np.float32(0.5)})
    for history in (writer.history, ww.read(tmp_path)[0]):
        one, other = (ww.Verdict.from_dict(dict(r.data)) for r in history.of_kind("verdict"))
        assert (one.code, one.name, one.link, one.severity, one.fix) == (901, "odd-loss", "loss", "error", one.fix)
        assert one.evidence == tuple(evidence)
        assert (one.first_step, one.last_step, one.variables) == (3, 3, ("a",))
        assert (other.severity, other.evidence[0].value) == ("warning", 0.5)


@pytest.mark.parametrize(
    ("further", "kind", "words"),
    [
        ({"link": "wheel"}, ValueError, "link must be one of data, "),
        ({"link": "data", "severity": "bad"}, ValueError, "severity must be one of"),
        ({"link": "data", "variables": "dense"}, TypeError, "one string"),
        ({"link": "data", "evidence": [0.5]}, TypeError, "evidence must be"),
        ({"link": "data", "code": -1}, ValueError, "code must be 0 or more"),
        ({"link": "data", "step": 0}, ValueError, "step must be 1 or more"),
    ],
)
def test_a_wrong_verdict_is_named(further: dict[str, Any], kind: type[Exception], words: str, tmp_path: Path) -> None:
    """An invalid verdict is an error that says what is allowed."""
    step = further.get("step", 1)
    further = {k: v for k, v in further.items() if k != "step"}
    with writer_of(tmp_path), pytest.raises(kind, match=words):
        ww.summary.verdict(step, "odd", "Odd.", **further)


def test_a_fault_of_ours_does_not_reach_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in our own code is one warning; afterwards `update` returns False and training goes on."""
    monkeypatch.delenv("TB_WEIGHTWATCH_STRICT", raising=False)
    writer = writer_of(tmp_path)
    monkeypatch.setattr(grouped_statistics, "variable_statistics", lambda *_, **__: 1 / 0)
    with pytest.warns(RuntimeWarning, match="switched itself off"):
        assert ww.summary.update(1, {"w": (G, W, W)}, writer=writer) is False
    assert ww.summary.update(2, {"w": (G, W, W)}, writer=writer) is False
    writer.close()


def test_it_works_where_tensorflow_is_not_installed(tmp_path: Path) -> None:
    """Without TensorFlow and Keras, a training is recorded, diagnosed and read back."""
    script = f"""
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None  # importing them fails
import numpy as np
import tb_weightwatch as ww
with ww.summary.create_file_writer({str(tmp_path)!r}, overhead=None, verbose=False) as writer:
    for step in range(1, 30):
        w = np.ones(4)
        assert ww.summary.update(step, {{"w": (w, w, w - 0.1)}}, loss=1.0, learning_rate=0.1)
(history,) = ww.read({str(tmp_path)!r})
assert ww.diagnose(history) == writer.diagnosis
print(len(history))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "29"
