"""Every way out of an untrusted run that the tests know of: what closes it on this machine, and what came out.

    python benchmarks/escapes.py

With --without and any of namespaces, bubblewrap, landlock, seccomp and another_uid, as on a machine that lacks them.
With `unshare --user --map-user=1000 --map-group=1000` before it, as an ordinary user.
"""

import argparse
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from tabulate import tabulate

from convcheck.execution.confinement import ALL_MEANS

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from escaping import attempts

MEANS = {
    "namespaces": {"namespaces": False},
    "bubblewrap": {"bubblewrap": False},
    "landlock": {"landlock": 0},
    "seccomp": {"seccomp": False},
    "another_uid": {"another_uid": False},
}


def main():
    """Print the guarantees and the routes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without", nargs="*", default=[], choices=MEANS)
    without = {name: value for each in parser.parse_args().without for name, value in MEANS[each].items()}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # nobody may read what is in it, where the candidate becomes that
        found, guarantees, report = attempts(Path(folder), replace(ALL_MEANS, **without))
    print(f"as uid {os.getuid()}\n")
    rows = [[g.name, "yes" if g.holds else "NO", g.what, g.by] for g in guarantees]
    print(tabulate(rows, headers=["guarantee", "holds", "what", "by"]))
    rows = [[a.to, a.route, "OPEN" if a.open else "closed", a.how[:100]] for a in found]
    print("\n" + tabulate(rows, headers=["way to", "route", "", "came out as"], disable_numparse=True))
    print(f"\n{sum(a.open for a in found)} of {len(found)} open; the report says {report!r}")


if __name__ == "__main__":
    main()
