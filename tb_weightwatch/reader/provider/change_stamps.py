"""Which data of a run changed, told from what a data provider lists."""

from __future__ import annotations

import hashlib

from ... import schema

LIGHT = ("header", "now")
ALL = (*LIGHT, "rows")
TagVersions = dict[str, tuple[int, float]]  # tag -> what changes when its data do: last step and time
_SPLITTABLE = {"RESOURCE_EXHAUSTED", "INTERNAL", "UNKNOWN"}


def changed_tags(read: TagVersions, stamps: TagVersions, kinds: tuple[str, ...] | None) -> list[str]:
    """Returns the tags to read; all of them if the run was written anew."""
    seen = {} if rewritten(read, stamps) else read
    changed = [tag for tag, stamp in stamps.items() if seen.get(tag) != stamp]
    return sorted(tag for tag in changed if (schema.parse_tag(tag) or schema.Tag("", "")).kind in (kinds or ALL))


def rewritten(read: TagVersions, stamps: TagVersions) -> bool:
    """Says whether a launch vanished; a single tag may seem to, where another thread has seen a later list."""
    return not launches_of(read) <= launches_of(stamps)


def launches_of(stamps: TagVersions) -> set[str]:
    """Returns the launches that have a tag."""
    return {tag.split("/", 2)[1] for tag in stamps}


def maps_of(stamps: TagVersions, launch: str = "") -> TagVersions:
    """Returns the tags of arrays, of one launch or of all."""
    return {t: s for t, s in stamps.items() if "/maps/" in t and launch in ("", t.split("/", 2)[1])}


def revision_of(stamps: TagVersions) -> str:
    """Returns what changes when a stamp does."""
    return hashlib.sha256(repr(sorted(stamps.items())).encode()).hexdigest()[:16]


def splittable(error: Exception) -> bool:
    """Says whether fewer tags in a call may help: a reply too large, or one datum that can not be converted."""
    code = getattr(error, "code", None)
    if callable(code):
        return getattr(code(), "name", "") in _SPLITTABLE
    return isinstance(error, (ValueError, TypeError))
