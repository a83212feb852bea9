"""Reads runs through a TensorBoard data provider, for the plugin."""

from .provider_reader import ProviderReader
from .run_cache import CachedRun
from .shared_results import SharedResults

__all__ = ["CachedRun", "ProviderReader", "SharedResults"]
