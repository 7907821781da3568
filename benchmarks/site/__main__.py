"""Build the page that shows how fast fastnn is, beside the site that `asv publish` makes.

    python benchmarks/site                           # build/site/index.html
    python benchmarks/site --peers benchmarks/results/results.json --asv build/asv/results

One file that needs nothing else: ratios to the peers and shares of the machine's limits, from what
benchmarks/peers wrote, and how all of it went from commit to commit, from the results of asv. What
was not measured is left out of the page. The exit status is 1 if there is nothing to show.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # folders of benchmarks/ are packages

import page

ROOT = Path(__file__).resolve().parents[2]


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    results = ROOT / "benchmarks" / "results" / "results.json"
    parser.add_argument("--peers", type=Path, default=results, metavar="FILE")
    parser.add_argument("--asv", type=Path, default=ROOT / "build/asv/results", metavar="DIR")
    parser.add_argument("--out", type=Path, default=ROOT / "build/site", metavar="DIR")
    options = parser.parse_args(argv)
    data = page.gather(options.peers, options.asv)
    if not (data["cases"] or data["series"]):
        print(f"Neither {options.peers} nor {options.asv} has results", file=sys.stderr)
        return 1
    data["asv_site"] = (options.out / "asv" / "index.html").is_file()
    options.out.mkdir(parents=True, exist_ok=True)
    target = options.out / "index.html"
    target.write_text(page.html(data), encoding="utf-8")
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
