"""A review as JSON, in the form that docs/schema/review-1.json describes."""

from __future__ import annotations

import json
from collections import Counter

from ..._version import __version__
from ...diagnosis import rule_set_version
from ..review_result import Review

# The first number changes when a reader of the earlier form would fail or be wrong, the second with new properties.
SCHEMA_VERSION = "1.0"


def json_document(review: Review) -> str:
    """Returns the JSON document of a review. A number that is not finite is "NaN", "Infinity" or "-Infinity"."""
    launches = review.launches
    counts = Counter(launch.diagnosis.status for launch in launches)
    document = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "tb_weightwatch", "version": __version__, "rules": rule_set_version()},
        "summary": {
            "launches": len(launches),
            **{status: counts[status] for status in ("healthy", "sick", "undecided")},
            "failures": sum(map(review.is_failure, launches)),
            "fail_on": review.fail_on,
            "exit_code": review.exit_code,
        },
        "launches": [{**launch.as_dict(), "failure": review.is_failure(launch)} for launch in launches],
        "unreadable": [
            {"logdir": result.job.logdir, "run": result.job.run, "reasons": dict(result.skipped)}
            for result in review.unreadable
        ],
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"
