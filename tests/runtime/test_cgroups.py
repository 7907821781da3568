"""Quotas of CPU time, read from imitations of the kernel's files."""

import pytest

from fastnn.utils.resources import cgroup_processors


@pytest.fixture
def tree(tmp_path):
    """Writes files under a root, and tells what the quota amounts to."""

    def processors(membership, **files):
        for name, text in files.items():
            path = tmp_path / "cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        of_process = tmp_path / "membership"
        of_process.write_bytes(membership if isinstance(membership, bytes) else membership.encode())
        return cgroup_processors(tmp_path / "cgroup", of_process)

    return processors


V1 = "12:pids:/other\n5:cpu,cpuacct:/docker/a\n1:name=systemd:/x\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("150000 100000", 2), ("100000 100000", 1), ("1000 100000", 1), ("max 100000", 0)],
)
def test_version_2(tree, text, expected):
    assert tree("0::/job", **{"job/cpu.max": text + "\n"}) == expected


@pytest.mark.parametrize(("quota", "expected"), [("250000", 3), ("100000", 1), ("-1", 0), ("0", 0)])
def test_version_1(tree, quota, expected):
    folder = "cpu/docker/a/cpu.cfs_"
    files = {f"{folder}quota_us": f"{quota}\n", f"{folder}period_us": "100000\n"}
    assert tree(V1, **files) == expected


def test_the_tightest_of_nested_groups_counts(tree):
    files = {
        "cpu.max": "800000 100000",
        "outer/cpu.max": "200000 100000",
        "outer/middle/cpu.max": "max 100000",
        "outer/middle/inner/cpu.max": "400000 100000",
        "outer/sibling/cpu.max": "100000 100000",
    }
    assert tree("0::/outer/middle/inner\n", **files) == 2
    assert tree("0::/outer/sibling/inner\n") == 1
    assert tree("0::/\n") == 8


def test_where_both_versions_are_mounted_the_tighter_one_counts(tree):
    files = {
        "cpu/docker/a/cpu.cfs_quota_us": "300000",
        "cpu/docker/a/cpu.cfs_period_us": "100000",
        "job/cpu.max": "200000 100000",
    }
    assert tree(V1 + "0::/job\n", **files) == 2


def test_a_group_that_only_the_host_sees_has_the_quota_of_the_root(tree):
    """Limits are found within a container without a namespace of its own."""
    assert tree("0::/docker/0123abc\n", **{"cpu.max": "300000 100000"}) == 3


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "max", "max max", "100000", "100000 0", "0 100000", "-5 100000", "1e5 1e5",
        "100000 100000 100000", "some words", "² 100000", "٣ ١", "nan nan", "inf 1",
        "9" * 5000 + " 1", "9" * 19 + " 1", b"\xff\xfe\x00\x00", b"\x00" * 100,
    ],
)  # fmt: skip
def test_quotas_that_mean_nothing_are_none(tree, text):
    assert tree("0::/job", **{"job/cpu.max": text}) == 0
    files = {"cpu/docker/a/cpu.cfs_quota_us": text, "cpu/docker/a/cpu.cfs_period_us": text}
    assert tree(V1, **files) in (0, 1)  # 1 where the text is one number, for quota and period alike


@pytest.mark.parametrize(
    "membership",
    ["", "\n\n", "0", "0:", "0::", "::", ":::", "no colons", "0:cpu", "0::" + "/x" * 300,
     "0::/" + "x" * 5000, "0::/a\x00b", "0::/../../..", b"0::/\xff\xfe", b"\xff" * 100],
)  # fmt: skip
def test_memberships_that_mean_nothing_have_no_quota(tree, membership):
    assert tree(membership) == 0


def test_missing_files_mean_no_quota(tmp_path):
    assert cgroup_processors(tmp_path / "nothing", tmp_path / "here") == 0
    (tmp_path / "membership").write_text("0::/job\n")
    assert cgroup_processors(tmp_path / "nothing", tmp_path / "membership") == 0
