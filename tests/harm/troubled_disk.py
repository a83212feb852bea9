"""A file system in memory that gets into trouble when it is told: slow, hanging, full, read-only, or broken.

It speaks the kernel's FUSE protocol itself, since a library would have to be installed. The kernel sends each `write`
here and waits, whoever writes. It needs Linux, /dev/fuse, and root. The trouble begins when the file CONTROL exists.

    python -m tests.harm.troubled_disk MOUNT_POINT TROUBLE CONTROL
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

WRITE_SECONDS = 2.0  # of a slow disk
REFUSALS = {"full": errno.ENOSPC, "read-only": errno.EROFS, "denied": errno.EACCES, "broken": errno.EIO}
TROUBLES = ("slow", "hanging", *REFUSALS)

_HEADER = struct.Struct("<IIQQIIII")  # length, operation, request, node, user, group, process, extensions
_ATTRIBUTES = struct.Struct("<6Q10I")
_LOOKUP, _GETATTR, _SETATTR, _MKDIR, _UNLINK, _RMDIR, _RENAME, _OPEN, _READ, _WRITE = 1, 3, 4, 9, 10, 11, 12, 14, 15, 16
_STATFS, _RELEASE, _FSYNC, _INIT, _OPENDIR, _READDIR, _RELEASEDIR, _CREATE = 17, 18, 20, 26, 27, 28, 29, 35
_UNANSWERED = (2, 36, 42)  # forget, interrupt, forget several
_CHANGES = (_MKDIR, _WRITE, _CREATE, _RENAME)


@dataclass
class Node:
    """A file or directory.

    Attributes:
        mode: kind and permissions.
        data: content of a file.
        children: of a directory: name -> number of the node.
    """

    mode: int
    data: bytearray = field(default_factory=bytearray)
    children: dict[bytes, int] = field(default_factory=dict)


class TroubledDisk:
    """Answers the kernel's requests.

    That a file is closed (FUSE_FLUSH) is none of them: the kernel would wait for the answer when it ends a process,
    too, and a process on a disk that hangs could not end, whatever it does.

    Args:
        trouble: one of `TROUBLES`.
        control: path of the file whose existence begins the trouble.
    """

    def __init__(self, trouble: str, control: str) -> None:
        self._trouble, self._control = trouble, control
        self._nodes = {1: Node(stat.S_IFDIR | 0o777)}
        self._operations: dict[int, Callable[[int, bytes], bytes]] = {
            _INIT: lambda _, body: struct.pack("<4IHHIIHHI7I", 7, 31, 65536, 0, 12, 9, 1 << 17, 1, 0, 0, *[0] * 8),
            _LOOKUP: lambda node, body: self._entry(self._child(node, body)),
            _GETATTR: lambda node, _: struct.pack("<QII", 0, 0, 0) + self._attributes(node),
            _SETATTR: self._set_attributes,
            _MKDIR: lambda node, body: self._entry(self._made(node, body[8:], stat.S_IFDIR | 0o777)),
            _CREATE: lambda node, body: self._entry(self._made(node, body[16:], stat.S_IFREG | 0o666)) + self._opened(),
            _UNLINK: self._removed, _RMDIR: self._removed, _RENAME: self._renamed,
            _OPEN: lambda _, __: self._opened(), _OPENDIR: lambda _, __: self._opened(),
            _READ: self._read, _READDIR: self._listed, _WRITE: self._written,
            _STATFS: lambda _, __: struct.pack("<5Q10I", *[1 << 20] * 5, 4096, 255, 4096, *[0] * 7),
            _RELEASE: lambda _, __: b"", _RELEASEDIR: lambda _, __: b"",
            _FSYNC: lambda _, __: b"",
        }  # fmt: skip

    def serve(self, device: int) -> None:
        """Answers until the file system is unmounted."""
        while True:
            try:
                request = os.read(device, 1 << 18)
            except OSError as error:
                if error.errno in (errno.EINTR, errno.EAGAIN, errno.ENOENT):
                    continue
                return
            _, operation, unique, node, *_ = _HEADER.unpack_from(request)
            if operation in _UNANSWERED:
                continue
            code, answer = self._answer(operation, node, request[_HEADER.size :])
            os.write(device, struct.pack("<IiQ", 16 + len(answer), -code, unique) + answer)
            while self._trouble == "hanging" and os.path.exists(self._control):
                time.sleep(0.1)  # what is not read here waits, and a process that waits can be killed

    def _answer(self, operation: int, node: int, body: bytes) -> tuple[int, bytes]:
        if operation in _CHANGES and os.path.exists(self._control):
            if self._trouble == "slow" and operation == _WRITE:
                time.sleep(WRITE_SECONDS)
            elif self._trouble in REFUSALS:
                return REFUSALS[self._trouble], b""
        try:
            return 0, self._operations[operation](node, body)
        except KeyError:
            return (errno.ENOENT if operation in self._operations else errno.ENOSYS), b""

    # -- operations: node and body of the request -> the answer; KeyError: there is no such file

    def _child(self, node: int, name: bytes) -> int:
        return self._nodes[node].children[name.rstrip(b"\0")]

    def _made(self, node: int, name: bytes, mode: int) -> int:
        number = max(self._nodes) + 1
        self._nodes[number] = Node(mode)
        self._nodes[node].children[name.rstrip(b"\0")] = number
        return number

    def _removed(self, node: int, name: bytes) -> bytes:
        del self._nodes[node].children[name.rstrip(b"\0")]
        return b""

    def _renamed(self, node: int, body: bytes) -> bytes:
        old, new = body[8:].rstrip(b"\0").split(b"\0")
        moved = self._nodes[node].children.pop(old)
        self._nodes[struct.unpack_from("<Q", body)[0]].children[new] = moved
        return b""

    def _attributes(self, number: int) -> bytes:
        node = self._nodes[number]
        now = int(time.time())
        return _ATTRIBUTES.pack(number, len(node.data), 1, now, now, now, 0, 0, 0, node.mode, 1, 0, 0, 0, 4096, 0)

    def _entry(self, number: int) -> bytes:
        return struct.pack("<4QII", number, 0, 0, 0, 0, 0) + self._attributes(number)

    def _set_attributes(self, node: int, body: bytes) -> bytes:
        valid, _, _, size = struct.unpack_from("<IIQQ", body)
        if valid & 8:
            data = self._nodes[node].data
            data[:] = data[:size].ljust(size, b"\0")
        return self._operations[_GETATTR](node, b"")

    @staticmethod
    def _opened() -> bytes:
        return struct.pack("<QII", 0, 1, 0)  # 1: not through the kernel's cache

    def _read(self, node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        return bytes(self._nodes[node].data[offset : offset + size])

    def _written(self, node: int, body: bytes) -> bytes:
        _, offset, size = struct.unpack_from("<QQI", body)
        data = self._nodes[node].data
        data.extend(bytes(max(0, offset - len(data))))
        data[offset : offset + size] = body[40 : 40 + size]
        return struct.pack("<II", size, 0)

    def _listed(self, node: int, body: bytes) -> bytes:
        _, offset, _ = struct.unpack_from("<QQI", body)
        entries = b""
        for place, (name, number) in enumerate(self._nodes[node].children.items(), 1):
            if place > offset:
                kind = stat.S_IFMT(self._nodes[number].mode) >> 12
                entry = struct.pack("<QQII", number, place, len(name), kind) + name
                entries += entry.ljust(-(-len(entry) // 8) * 8, b"\0")
        return entries[:4096]


def main() -> None:
    """Mounts the file system, and serves it until it is unmounted."""
    mount_point, trouble, control = sys.argv[1:]
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"troubled_disk", os.fsencode(mount_point), b"fuse", 0, options):
        sys.exit(os.strerror(ctypes.get_errno()))
    print("mounted", flush=True)
    TroubledDisk(trouble, control).serve(device)


if __name__ == "__main__":
    main()
