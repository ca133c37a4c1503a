"""What comes of each hostile candidate: what is due, what was said, how long it took, and what was left.

    python benchmarks/hostile.py [WORD…]

With words, only the candidates whose names hold one of them. The exit status is 1 if one of them did not come out as is
due.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from hostile import ALL, judged


def main():
    """Judge them one after the other, and print a table."""
    words = sys.argv[1:]
    rows, wrong = [], 0
    for hostile in ALL:
        if words and not any(word in hostile.name for word in words):
            continue
        with TemporaryDirectory() as folder:
            came = judged(hostile, folder)
        right = came.is_due(hostile)
        wrong += not right
        said = came.said.replace(folder, "").replace("\n", "; ")[:110]
        row = [hostile.name, "right" if right else "WRONG", said, came.seconds, len(came.processes), len(came.files)]
        rows.append(row)
        print(*row[:2], file=sys.stderr, flush=True)
    headers = ["candidate", "", "said", "seconds", "processes left", "files left"]
    print(tabulate(rows, headers, floatfmt=".1f", disable_numparse=[0, 2]))
    print(f"{len(rows) - wrong} of {len(rows)} as is due")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
