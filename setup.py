"""Thin build file: what pyproject.toml cannot say, because it is known only when the package is published."""

import os
import re
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent
# The address of the published repository, https://HOST/OWNER/NAME, and of who answers for it. They go here as the
# defaults once there are any; `nox -s release -- REPOSITORY EMAIL` sets them for one release.
REPOSITORY = os.environ.get("WW_REPOSITORY", "").rstrip("/")
EMAIL = os.environ.get("WW_EMAIL", "")
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "tb_weightwatch" / "_version.py").read_text()).group(1)


def long_description() -> str:
    """Returns the README; with an absolute address in each link and picture, since a package index has no files."""
    text = (HERE / "README.md").read_text(encoding="utf-8")
    if not REPOSITORY:
        return text
    page, file = (f"{REPOSITORY}/{kind}/v{VERSION}/" for kind in ("blob", "raw"))
    relative = r"(?![a-z]+:|#)"
    text = re.sub(rf"(!\[[^\]]*\]\(){relative}", rf"\g<1>{file}", text)
    text = re.sub(rf"""((?:src|srcset)="){relative}""", rf"\g<1>{file}", text)
    return re.sub(rf"((?<!!)\[[^\]]*\]\(){relative}(?!{re.escape(file)})", rf"\g<1>{page}", text)


setup(
    author="tb_weightwatch developers",
    author_email=EMAIL or None,
    long_description=long_description(),
    long_description_content_type="text/markdown",
    project_urls={
        "Repository": REPOSITORY,
        "Documentation": f"{REPOSITORY}/blob/v{VERSION}/README.md",
        "Changelog": f"{REPOSITORY}/blob/v{VERSION}/CHANGELOG.md",
        "Issues": f"{REPOSITORY}/issues",
    }
    if REPOSITORY
    else {},
)
