"""The documentation builds as one site without a link that leads nowhere, and every rule has its page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.tools.link_hook import with_site_links
from tb_weightwatch.diagnosis import catalogue

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("page", "link", "rewritten"),
    [
        ("index.md", "[the panel](panel.md)", "[the panel](panel.md)"),
        ("panel.md", "[rules](rules.md#data)", "[rules](rules/index.md#data)"),
        ("panel.md", "[one](rules.md#201-dead-relu)", "[one](rules/201-dead-relu.md)"),
        ("panel.md", "[map](../ARCHITECTURE.md)", "[map](architecture.md)"),
        ("rules/x.md", "[map](../../ARCHITECTURE.md#floors)", "[map](../architecture.md#floors)"),
        ("panel.md", "[test](../tests/unit/test_site.py)", "test (`tests/unit/test_site.py`)"),
        ("panel.md", "[`tests/run`](../tests/run)", "`tests/run`"),
        ("panel.md", "[web](https://keras.io/x)", "[web](https://keras.io/x)"),
        ("panel.md", "![picture](images/panel.png)", "![picture](images/panel.png)"),
    ],
)
def test_links_of_the_repository_become_links_of_the_site(page: str, link: str, rewritten: str) -> None:
    """A link to a page leads to it; one to a file that the site does not hold becomes its path."""
    assert with_site_links(link, page) == rewritten


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as docs/run does; a link that leads nowhere fails it."""
    pytest.importorskip("mkdocs", reason="docs/requirements.txt is not installed")
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(target)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout
    return target


def test_every_rule_has_a_page_with_both_examples(site: Path) -> None:
    """The pages of the rules are made from the catalogue."""
    for rule in catalogue().values():
        page = (site / "rules" / f"{rule.code}-{rule.name}.html").read_text(encoding="utf-8")
        assert page.count("<code>") > 2 and 'id="sick-example"' in page and 'id="healthy-example"' in page


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    """The reference has each name that `tb_weightwatch` exports."""
    import tb_weightwatch

    page = (site / "api.html").read_text(encoding="utf-8")
    documented = set(re.findall(r'id="tb_weightwatch\.[\w.]*?(\w+)"', page))
    assert set(tb_weightwatch.__all__) - {"__version__", "maps"} <= documented


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    """Its pages can be read offline, and tell nobody who reads them."""
    for page in site.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert re.findall(r'<(?:script|img|link)[^>]+(?:src|href)="(https?://[^"]+)"', text) == [], page.name
