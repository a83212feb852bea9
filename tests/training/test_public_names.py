"""The public names of the package; most of them import TensorFlow when they are first used."""

from __future__ import annotations

import tb_weightwatch as ww


def test_public_names_exist() -> None:
    """Every name in `__all__` exists, and dir() lists it."""
    for name in ww.__all__:
        assert getattr(ww, name) is not None
    assert set(ww.__all__) <= set(dir(ww))
