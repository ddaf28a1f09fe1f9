"""Copies files from one storage of hf_xet to another, in a process of its own, which lets go of both when it ends.

Reads from its input `{"source": STORAGE, "target": STORAGE, "files": [[PATH, HASH, SIZE], ...]}`; a file with a hash is
fetched from the source to its path first. Prints the hashes that the files have in the target.
"""

import json
import sys

from hf_xet import COMPUTE_SHA256, XetFileInfo, XetSession  # type: ignore[import-untyped]


def main() -> None:
    """Does it."""
    asked = json.load(sys.stdin)
    session = XetSession()
    fetched = [file for file in asked["files"] if file[1]]
    if fetched:
        with session.new_file_download_group(endpoint=asked["source"]) as group:
            for path, xet_hash, size in fetched:
                group.start_download_file(XetFileInfo(xet_hash, size), path)
    with session.new_upload_commit(endpoint=asked["target"]) as commit:
        handles = [commit.start_upload_file(path, sha256=COMPUTE_SHA256) for path, _, _ in asked["files"]]
    print(json.dumps([handle.result().xet_info.hash for handle in handles]))


if __name__ == "__main__":
    main()
