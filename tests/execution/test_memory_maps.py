"""Arrays that do not fit into memory, or do not lie in it as C would like."""

import sys

import numpy as np
import pytest
from problems import data, network
from programs import output_of

# 512 MiB of images, most of them holes in the file, and 160 MiB more for data than the process has
# already.
LARGER_THAN_MEMORY = """
    import resource, sys
    import numpy as np
    import fastnn
    from fastnn import Dense, Network

    rows, features = 131072, 4096
    images = np.memmap(sys.argv[1], np.uint8, "w+", shape=(rows, features))
    rng = np.random.default_rng(0)
    y = rng.permutation(rows) % 8 // 7
    images[y == 1, :64] = rng.integers(100, 140, 64)
    images.flush()
    images = np.memmap(sys.argv[1], np.uint8, "r", shape=(rows, features))

    import sklearn.metrics  # which accuracy would import, within the limit
    room = 160 << 20
    held = open("/proc/self/status").read().split("VmData:")[1].split()[0]
    limit = (int(held) << 10) + room
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    try:
        np.ones(room, np.uint8)
        print("the limit does not hold")
    except MemoryError:
        pass
    assert images.nbytes > 3 * room

    net = Network([Dense(2)], loss="softmax_cross_entropy", optimizer=fastnn.SGD(1e-6),
                  metrics=["accuracy"], seed=0)
    net.fit(images, y, batch_size=256, epochs=1, validation_fraction=0.125, verbose=0)
    assert net.predict(images).shape == (rows, 2)
    assert net.evaluate(images, y)["accuracy"] > 0.99
    print("done")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits as Linux has them")
def test_images_larger_than_memory(tmp_path):
    """Bytes become floats batch by batch, in the rows' shuffled order, straight from the file."""
    output = output_of(LARGER_THAN_MEMORY, tmp_path / "images", FASTNN_NUM_THREADS="2")
    assert output == "done"


def memory_map(X, folder):
    X.tofile(folder / "X")
    return np.memmap(folder / "X", X.dtype, "r", shape=X.shape)


def read_only(X, _):
    X = X.copy()
    X.flags.writeable = False
    return X


def misaligned(X, _):
    return np.frombuffer(b"." + X.tobytes(), np.uint8)[1:].view(X.dtype).reshape(X.shape)


FORMS = {
    "memory map": memory_map,
    "read-only": read_only,
    "Fortran order": lambda X, _: np.asfortranarray(X),
    "every second column": lambda X, _: np.repeat(X, 2, axis=1)[:, ::2],
    "backwards": lambda X, _: X[::-1].copy()[::-1],
    "other byte order": lambda X, _: X.astype(X.dtype.newbyteorder()),
    "misaligned": misaligned,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("source", ["float64", "float32", "int16", "uint8"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_how_an_array_lies_does_not_matter(form, source, dtype, tmp_path):
    X, y = data()
    X = np.round(X * 20 + 100).astype(source)
    nets = []
    for array in (X, FORMS[form](X, tmp_path)):
        net = network(dtype=dtype)
        net.fit(array, y, batch_size=16, epochs=2, validation_fraction=0.2, verbose=0)
        prediction = net.predict(array).tobytes()
        nets.append((net.parameters.tobytes(), prediction, net.evaluate(array, y)))
    assert nets[0] == nets[1]
