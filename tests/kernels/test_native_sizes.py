"""The size check of native calls: for each array of a kernel, from the table in C."""

import ctypes

import pytest
from programs import shared_library
from project import ROOT

from fastnn.kernels import KERNELS, native

CSRC = ROOT / "csrc"
MAX_DIMS = native.limits()[1]

if not CSRC.is_dir():
    pytest.skip("needs the source tree", allow_module_level=True)


class Shape(ctypes.Structure):
    _fields_ = (("dims", ctypes.c_int), ("dim", ctypes.c_int * MAX_DIMS))


class Sizes(ctypes.Structure):
    _fields_ = (("dims", ctypes.c_int), ("shapes", ctypes.c_int), ("shape", ctypes.POINTER(Shape)))


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    source, folder = '#include "table/sizes.c"', tmp_path_factory.mktemp("sizes")
    library = ctypes.CDLL(str(shared_library(source, folder, "sizes", f"-I{CSRC}")))
    library.fastnn_kernel_sizes.restype = Sizes
    return library


def fits(library, *size):
    shape = Shape(len(size), (ctypes.c_int * MAX_DIMS)(*range(len(size))))
    dims = (ctypes.c_int64 * MAX_DIMS)(*size)
    return bool(library.fastnn_shape_fits(ctypes.byref(shape), dims))


def test_an_array_of_four_dimensions_whose_size_overflows_is_refused(library):
    assert fits(library, 2**15, 2**15, 2**15, 2**14)
    assert not fits(library, 2**15, 2**15, 2**15, 2**15)  # 2**63 bytes
    assert not fits(library, 2**16, 2**16, 2**16, 2**16)  # 2**67, which is 0 in 64 bits
    assert not fits(library, 3, 2**31, 2**31, 7)


@pytest.mark.parametrize("dims", range(1, 17))
def test_an_overflow_is_found_in_any_dimension(library, dims):
    for position in range(dims):
        size = [1] * dims
        size[position] = 2**60 - 1
        assert fits(library, *size)
        size[position] = 2**60
        assert not fits(library, *size)
        size[position] = -1
        assert not fits(library, *size)


def test_an_empty_array_fits_where_numpy_makes_it(library):
    assert fits(library, 0, 5)
    assert fits(library, 5, 0)
    assert not fits(library, 0, 2**62)


def test_a_call_is_checked_for_each_of_its_arrays(library):
    kernel = native.kernel_names().index("dense_fwd")
    for sizes, expected in (((2**30, 2**20, 2**20), True), ((2**40, 2**20, 2**20), False)):
        dims = (ctypes.c_int64 * MAX_DIMS)(*sizes)
        assert bool(library.fastnn_sizes_fit(kernel, dims)) is expected


@pytest.mark.parametrize("row", KERNELS.values(), ids=list(KERNELS))
def test_shapes_in_c_are_those_of_the_table(row, library):
    sizes = library.fastnn_kernel_sizes(native.kernel_names().index(row.name))
    shapes = [array.dimensions for array in row.arrays.values()]
    letters = list(dict.fromkeys(letter for shape in shapes for letter in shape))
    expected = {tuple(map(letters.index, shape)) for shape in shapes}
    if any(array.dtype == "target" for array in row.arrays.values()):
        expected.add((letters.index("B"),))  # class numbers
    found = [sizes.shape[i] for i in range(sizes.shapes)]
    assert {tuple(shape.dim[: shape.dims]) for shape in found} == expected
    assert sizes.dims == len(letters)


def test_every_limit_has_room():
    assert min(native.limits()) >= 16
