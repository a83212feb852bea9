"""Third-party logs: what scalars and histograms show that were not written by tb_weightwatch.

Weights are known by snapshots of their histograms: their largest element, their norm, and by how much an element moved
at least. So these logs show that nothing moves, since when, and what became NaN: symptoms. The cause needs recorded
steps.
"""

from .facts import is_third_party, unit
from .framework_fixes import framework_fix, set_learning_rate_fix
from .snapshots import any_weight_moved
from .status import third_party_status
from .symptoms import third_party_symptoms

__all__ = [
    "any_weight_moved",
    "framework_fix",
    "is_third_party",
    "set_learning_rate_fix",
    "third_party_status",
    "third_party_symptoms",
    "unit",
]
