"""`ww.preflight`: a diagnosis before the first step."""

from .run import preflight

__all__ = ["preflight"]
