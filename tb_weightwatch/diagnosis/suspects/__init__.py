"""The suspects of a run: causes that fit its symptoms, ranked by how probable they are.

* `observation`: the type of a fact about a run
* `data_facts` and the other modules whose names end so: the facts
* `causes`: how causes show, cause x symptom x fact, as a table
* `ranking`: from facts to probabilities
"""

from .causes import TABLE
from .ranking import scores, shares, suspect_without_facts, suspects

__all__ = ["TABLE", "scores", "shares", "suspect_without_facts", "suspects"]
