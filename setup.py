"""Builds the wheel. Everything that pip needs to know stands here; tool settings stand in pyproject.toml."""

import re
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
version = re.search(r'__version__ = "(.+)"', (here / "tb_weightwatch" / "_version.py").read_text()).group(1)

setup(
    name="tb-weightwatch",
    version=version,
    description="Tells why your TensorFlow weights aren't moving: summary writer, diagnosis, TensorBoard panel.",
    long_description=(here / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    packages=find_packages(include=["tb_weightwatch", "tb_weightwatch.*"]),
    package_data={
        "tb_weightwatch": ["py.typed", "static/*"],
        "tb_weightwatch.schema": ["*.proto", "*.pyi"],
    },
    # TensorFlow is not required: viewing and reviewing logs works without it, and who trains has it.
    install_requires=["numpy>=1.24", "protobuf>=3.20.3", "tensorboard>=2.17", "rich>=13", "google-crc32c>=1.5"],
    extras_require={
        "tensorflow": ["tensorflow>=2.16"],
        "pandas": ["pandas>=2.0"],
        "beam": ["apache-beam>=2.50"],
        "mcp": ["mcp>=2"],
    },
    entry_points={
        "console_scripts": ["weightwatch = tb_weightwatch.cli:main"],
        "tensorboard_plugins": ["weightwatch = tb_weightwatch.plugin.loader:WeightWatchLoader"],
    },
    classifiers=[
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Programming Language :: Python :: 3",
        "Typing :: Typed",
    ],
)
