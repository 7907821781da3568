"""Numbers and their nouns agree."""

import pytest

from fastnn.utils.counting import count


@pytest.mark.parametrize(
    ("n", "noun", "text"),
    [
        (0, "row", "0 rows"),
        (1, "row", "1 row"),
        (2, "class", "2 classes"),
        (2, "batch", "2 batches"),
        (2, "category", "2 categories"),
        (3, "array", "3 arrays"),
        (1, "distinct value", "1 distinct value"),
    ],
)
def test_plural(n, noun, text):
    assert count(n, noun) == text
    assert count(n + 10**6, noun, ",").startswith("1,000,00")
