"""Which tags of a run have new data, by the last step and time that a data provider lists for each."""

from __future__ import annotations

import hashlib

from ... import schema

TagVersions = dict[str, tuple[int, float]]  # tag -> last step and wall time, which change when its data do
STATUS_KINDS = ("header", "now")  # dated records and status: small, and enough for the list of runs
ALL_KINDS = (*STATUS_KINDS, "rows")
_SPLITTABLE = {"RESOURCE_EXHAUSTED", "INTERNAL", "UNKNOWN"}


def changed_tags(read: TagVersions, listed: TagVersions, kinds: tuple[str, ...] = ALL_KINDS) -> list[str]:
    """Returns the tags of these kinds to read, sorted; all of them if the run was written anew.

    Args:
        read: tags with the versions that were read.
        listed: tags with the versions there are now.
        kinds: of the tags to read.
    """
    current = {} if restarted(read, listed) else read
    changed = [tag for tag, version in listed.items() if current.get(tag) != version]
    return sorted(tag for tag in changed if (schema.parse_tag(tag) or schema.Tag("", "")).kind in kinds)


def restarted(read: TagVersions, listed: TagVersions) -> bool:
    """Checks whether a launch vanished, because the run was deleted and written anew.

    A single tag may seem to vanish: another thread may have read a later list.
    """
    return not launches_of(read) <= launches_of(listed)


def launches_of(versions: TagVersions) -> set[str]:
    """Returns the launches that have a tag."""
    return {_launch_of(tag) for tag in versions}


def map_tags(versions: TagVersions, launch: str = "") -> TagVersions:
    """Returns the tags of arrays, of one launch or of all."""
    return {t: version for t, version in versions.items() if "/maps/" in t and launch in ("", _launch_of(t))}


def _launch_of(tag: str) -> str:
    return tag.split("/", 2)[1]


def revision_of(versions: TagVersions) -> str:
    """Returns a digest that changes when a version does."""
    return hashlib.sha256(repr(sorted(versions.items())).encode()).hexdigest()[:16]


def retry_with_fewer_tags(error: Exception) -> bool:
    """Checks whether a call may succeed with fewer tags: the reply was too large, or one datum cannot be converted."""
    code = getattr(error, "code", None)
    if callable(code):
        return getattr(code(), "name", "") in _SPLITTABLE
    return isinstance(error, (ValueError, TypeError))
