"""Model files of every kind with any value replaced, and a digest that fits: loaded or refused.

The forger runs in a process of its own with little memory, so that a claim that is believed shows.
"""

import os
import sys

import numpy as np
import pytest
from crafting import forged
from programs import output_of

import fastnn

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits as POSIX has them")

# One junk value in how many is tried.
EVERY = 1 if os.environ.get("FASTNN_FULL") == "1" else 9

FORGER = """
    import contextlib, io, itertools, os, resource, sys, tempfile
    import numpy as np
    from crafting import description_of, forged

    JUNK = [None, True, -1, 0, 0.5, 1e308, 1e-320, 2**40, 10**30, 10**400, 10**4200, "", "x",
            "\\ud800", [], {}, [[]], [1] * 5, ["x"] * 3, [[[[[[[[]]]]]]]],
            {"type": "Zeros"}, {"type": {}}, {"type": "Dense", "units": 2**40}]

    def places(value, path=()):
        if isinstance(value, (dict, list)):
            for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
                yield (*path, key)
                yield from places(inner, (*path, key))

    def removed(outer, last):
        del outer[last]

    def doubled(outer, last):
        if isinstance(outer, dict):
            outer["another"] = outer[last]
        else:
            outer.append(outer[last])

    def put(junk):
        return lambda outer, last: outer.__setitem__(last, junk)

    EDITS = [removed, doubled, *(put(junk) for junk in JUNK)]

    def forgeries(content, section, every):
        cases = itertools.product(places(description_of(content)[section]), EDITS)
        for place, change in itertools.islice(cases, 0, None, every):
            def edit(description):
                outer = description[section]
                for key in place[:-1]:
                    outer = outer[key]
                change(outer, place[-1])
            yield place, forged(content, edit)

    def limit_memory(more):
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + more, used + more))
"""

NETWORKS = (
    FORGER
    + """
    import fastnn
    from fastnn import *

    X, y = np.arange(24.0).reshape(8, 3) % 4, np.arange(8) % 2
    schedule = fastnn.schedules.CosineDecay(0.1, 100)
    plateau = fastnn.schedules.ReduceOnPlateau(0.1, "loss")
    networks = [
        Network([TabularInput({0: (4, 2)}), Dense(3, "relu"), BatchNorm(), Dropout(0.1),
                 LayerNorm(), Dense(2)], loss="softmax_cross_entropy", optimizer=SGD(schedule),
                weight_average=EMA(), metrics=["accuracy"], seed=0),
        Network([Normalization(), Dense(4, "tanh", l1=0.1, max_norm=2.0), Activation("relu"),
                 Dense(1)], loss=Huber(1.0), optimizer=Adam(plateau), weight_average=SWA(), seed=0),
        Network([Embedding(4, 3), Flatten(), Dense(3)], loss=Quantile([0.1, 0.5, 0.9]), seed=0,
                optimizer=Lion()),
        Network([Normalization(mean=[0.0, 1.0, 2.0], variance=[1.0, 1.0, 1.0]), Dense(1)],
                loss="poisson", optimizer=LBFGS(), seed=0),
    ]
    path = os.path.join(tempfile.mkdtemp(), "model")
    contents = []
    for net in networks:
        net.fit(X, y, epochs=2, verbose=0)
        net.save(path, optimizer=True)
        contents.append(open(path, "rb").read())
    limit_memory(1 << 28)
    loaded = refused = 0
    for content in contents:
        for section in ("architecture", "training"):
            for place, crafted in forgeries(content, section, int(sys.argv[1])):
                with open(path, "wb") as file:
                    file.write(crafted)
                try:
                    Network.load(path)
                    loaded += 1
                except ModelFileError:
                    refused += 1
    assert loaded and refused > 200, (loaded, refused)
    print("done")
"""
)

PREPROCESSING = (
    FORGER
    + """
    from fastnn.cli import main

    folder = tempfile.mkdtemp()
    table, model, forgery = (os.path.join(folder, name) for name in ("t.csv", "model", "forged"))
    with open(table, "w") as file:
        file.write("a,b,c,y\\n")
        for i in range(90):
            number = "" if i % 7 == 0 else i * 13 % 17 + 0.5
            target = "uvw"[i % 3] if sys.argv[2] == "classes" else i / 7
            file.write(f"{number},{i % 4 + 0.5},{'pqr'[i % 3]},{target}\\n")
    with contextlib.redirect_stdout(io.StringIO()):
        assert main(["train", table, "--target", "y", "--out", model, "--epochs", "1"]) == 0
    content = open(model, "rb").read()
    codes = []
    for place, crafted in forgeries(content, "preprocessing", max(1, int(sys.argv[1]) // 3)):
        with open(forgery, "wb") as file:
            file.write(crafted)
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            codes.append(main(["predict", forgery, table]))
        assert codes[-1] in (0, 2), place
        assert not (codes[-1] and err.getvalue().count("\\n") != 1), (place, err.getvalue())
        assert "nan" not in out.getvalue(), place
    assert codes.count(2) > 50, codes
    print("done")
"""
)


def test_networks():
    assert output_of(NETWORKS, EVERY) == "done"


@pytest.mark.parametrize("target", ["classes", "numbers"])
def test_preprocessing(target):
    assert output_of(PREPROCESSING, EVERY, target) == "done"


def test_states_that_were_forged_are_refused_by_name(tmp_path):
    """A state with a digest that fits, but of another form than the callback's or schedule's."""
    path, crafted = tmp_path / "valid", tmp_path / "forged"
    x, y = np.arange(24.0).reshape(8, 3), np.arange(8) % 2

    def network():
        schedule = fastnn.schedules.ReduceOnPlateau(0.1, "loss")
        optimizer = fastnn.Adam(schedule)
        layers = [fastnn.Dense(2)]
        return fastnn.Network(layers, loss="softmax_cross_entropy", optimizer=optimizer, seed=0)

    def fit(net, **options):
        callbacks = [fastnn.EarlyStopping("loss", patience=9), fastnn.Checkpoint(path)]
        net.fit(x, y, epochs=2, verbose=0, callbacks=callbacks, **options)

    fit(network())
    content = path.read_bytes()
    edits = {
        "EarlyStopping lacks 'best'": lambda d: d["fit"]["callbacks"][0]["state"].pop("best"),
        "seen must be": lambda d: d["fit"]["callbacks"][0]["state"].update(_seen=None),
        "best must be": lambda d: d["fit"]["callbacks"][0]["state"].update(best=10**400),
        "description lacks 'scale'": lambda d: d["training"].update(plateau={}),
        "description cannot be used": lambda d: d["training"].update(plateau=[1]),
    }
    for message, edit in edits.items():
        crafted.write_bytes(forged(content, edit))
        net = network()
        with pytest.raises(fastnn.ModelFileError, match=message):
            fit(net, resume_from=crafted)
        assert net.state.step == 0
