"""Suites that asv runs from commit to commit.

asv imports every module here, with the package of the commit that it measures.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
