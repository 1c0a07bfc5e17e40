"""Rename that never replaces anything, which neither Python nor POSIX has.

Linux and macOS do it in one call; file systems that lack that call have hard links, and those that lack both are
refused.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys

_RENAME_NOREPLACE = 1  # linux/fs.h
_RENAME_EXCL = 4  # sys/stdio.h of macOS
_NOT_HERE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}


def rename_no_clobber(old: str, new: str, folder: int) -> None:
    """Rename within the open `folder`; FileExistsError where `new` is there, whatever it is."""
    try:
        _rename_exclusively(os.fsencode(old), os.fsencode(new), folder)
    except OSError as error:
        if error.errno not in _NOT_HERE:
            raise
        os.link(old, new, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        os.unlink(old, dir_fd=folder)


def _rename_exclusively(old: bytes, new: bytes, folder: int) -> None:
    name, flag = ("renameatx_np", _RENAME_EXCL) if sys.platform == "darwin" else ("renameat2", _RENAME_NOREPLACE)
    call = getattr(_libc, name, None)
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if call(folder, old, folder, new, flag):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), os.fsdecode(new))


_libc = ctypes.CDLL(None, use_errno=True)
