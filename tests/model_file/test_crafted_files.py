"""Files written on purpose to mislead: each gets a ModelFileError, and none gets memory."""

import json
import tracemalloc

import numpy as np
import pytest
import safetensors.numpy
from crafting import (
    description_of,
    edited_header,
    forged,
    header_end,
    with_description,
    with_header,
)

from fastnn import Adam, Dense, ModelFileError, Network
from fastnn.model_file import container

# ------------------------------------------------------------------------------------------ headers


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        ({"shape": [True, 2]}, "a/bias"),
        ({"shape": [2.0]}, "not laid out"),
        ({"shape": [-2]}, "a/bias"),
        ({"shape": [10**15]}, "a/bias"),
        ({"shape": []}, "a/bias"),
        ({"shape": "2"}, "a/bias"),
        ({"shape": None}, "a/bias"),
        ({"dtype": "F64"}, "a/bias"),
        ({"dtype": "I32"}, "a/bias"),
        ({"dtype": "BF16"}, "a/bias"),
        ({"dtype": None}, "a/bias"),
        ({"dtype": ["F32"]}, "a/bias"),
        ({"data_offsets": [8, 16]}, "not laid out"),
        ({"data_offsets": [-8, 0]}, "not laid out"),
        ({"data_offsets": [False, 8]}, "not laid out"),
        ({"data_offsets": [0, 2**70]}, "not laid out"),
        ({"data_offsets": [8, 0]}, "not laid out"),
        ({"data_offsets": []}, "not laid out"),
        ({"data_offsets": None}, "not laid out"),
    ],
)
def test_crafted_entries(entry, match, content, refuse):
    refuse(edited_header(content, lambda header: header["a/bias"].update(entry)), match)


def test_missing_and_unknown_tensors(content, refuse):
    empty = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    refuse(edited_header(content, lambda h: h.pop("a/bias")), "'a/bias'.*is missing")
    refuse(edited_header(content, lambda h: h.update({"b/bias": empty})), "no tensor 'b/bias'")
    refuse(edited_header(content, lambda h: h.update({"a/bias": None})), "a/bias.*None")
    refuse(edited_header(content, lambda h: h.update({"a/bias": [1]})), "a/bias")


@pytest.mark.parametrize("key", ["a/bias", "__metadata__"])
def test_an_entry_given_twice(key, content, refuse):
    end = header_end(content)
    twice = b'{"%s":{},' % key.encode() + content[9:end]
    refuse(with_header(twice, content[end:]), "a key is given twice")


def test_overlapping_tensors(content, refuse):
    """Two tensors of one shape share their bytes; the bytes of the other belong to none."""

    def overlap(header):
        first, second = (f"optimizer/{slot}/a/bias" for slot in ("first_moment", "second_moment"))
        header[first]["data_offsets"] = header[second]["data_offsets"]

    refuse(edited_header(content, overlap), "not laid out")


def test_metadata(content, refuse, accept_or_refuse):
    def edited(**entries):
        return edited_header(content, lambda header: header["__metadata__"].update(entries))

    refuse(edited_header(content, lambda h: h.pop("__metadata__")), "not written by fastnn")
    refuse(edited_header(content, lambda h: h.update(__metadata__={})), "not written by fastnn")
    refuse(edited_header(content, lambda h: h.update(__metadata__=[])), "not written by fastnn")
    refuse(edited(fastnn={}), "not a string")
    refuse(edited(note=1), "not laid out")
    assert accept_or_refuse(edited(format="pt"))


@pytest.mark.parametrize("opening", [b'{"a":', b'{"a":['])
def test_deeply_nested_headers(opening, refuse):
    refuse(with_header(opening * 200_000), "nested too deeply|malformed")


# ------------------------------------------------------------------------------------- descriptions


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "malformed"),
        ("{", "malformed"),
        ("[]", "not a JSON object"),
        ("1", "not a JSON object"),
        ("NaN", "NaN is not JSON"),
        ('{"a":-Infinity}', "-Infinity is not JSON"),
        ('{"a":1,"a":1}', "a key is given twice"),
        ("[" * 200_000, "nested too deeply"),
        ("9" * 5000, "malformed"),
        ("{}", "format version None"),
    ],
)
def test_descriptions_that_cannot_be_read(text, match, content, refuse):
    refuse(with_description(content, text), match)


@pytest.mark.parametrize("version", [2, "1", None, [[[[[[[[1]]]]]]]], 10**4000])
def test_other_format_versions_are_named(version, content, refuse):
    message = refuse(forged(content, lambda d: d.update(format_version=version)), "format version")
    assert "reads version 1" in message
    assert str(version)[:6] in message


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (lambda d: d.pop("architecture"), "lacks 'architecture'"),
        (lambda d: d.update(architecture=[]), "architecture is not a JSON object"),
        (lambda d: d.update(preprocessing=1), "preprocessing is not a JSON object"),
        (lambda d: d.update(training=None), "training is not a JSON object"),
        (lambda d: d.pop("training"), "no tensor 'optimizer/"),
    ],
)
def test_parts_of_the_description(edit, match, content, refuse):
    refuse(forged(content, edit), match)


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d.pop("sha256"),
        lambda d: d.update(sha256=None),
        lambda d: d.update(sha256=d["sha256"].upper()),
        lambda d: d.update(fastnn_version="9"),
        lambda d: d.update(note="x"),
        lambda d: d.pop("preprocessing"),
        lambda d: d["preprocessing"].update(mean=[0.5, 2e-5]),
        lambda d: d["architecture"].update(seed=2),
        lambda d: d["architecture"]["layers"][1].update(rate=0.75),
        lambda d: d["training"]["state"].update(step=1),
        lambda d: d["training"]["history"]["values"].update(loss=[1.0, 0.5]),
    ],
)
def test_the_digest_covers_the_description(edit, content, refuse):
    description = description_of(content)
    edit(description)
    refuse(with_description(content, json.dumps(description)), "SHA-256")


def test_the_order_of_keys_and_white_space_are_free(content, accept_or_refuse):
    text = json.dumps(description_of(content), sort_keys=True, indent=2)
    assert accept_or_refuse(with_description(content, text))


def test_a_number_that_reads_as_infinity(content, refuse):
    text = json.dumps(description_of(content)).replace("1e-05", "1e999")
    refuse(with_description(content, text), "description cannot be used")


def test_parameters_that_are_not_finite(content, refuse):
    tensors = safetensors.numpy.load(content)
    tensors["a/bias"] = np.array([1, np.nan], np.float32)
    description = description_of(content)
    refuse(container.encode(description, tensors), "a/bias holds values that are not finite")


# --------------------------------------------------------------------------- crafted, valid digest


def test_the_forger_of_these_tests_can_forge(content, folder):
    path = folder / "forged"
    path.write_bytes(forged(content, lambda d: d["architecture"]["layers"][1].update(rate=0.75)))
    assert Network.load(path).layers[1].rate == 0.75


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (lambda d: d["layers"][0].update(type="Dence"), "did you mean 'Dense'"),
        (lambda d: d["layers"][0].update(type="Layer"), "unknown Layer"),
        (lambda d: d["layers"][0].update(type="__import__"), "unknown Layer"),
        (lambda d: d["layers"][0].update(type=["Dense"]), "Layer must be one of"),
        (lambda d: d["layers"][0].update(payload=1), "payload"),
        (lambda d: d["layers"][0].update(units=1), "a/weights"),
        (lambda d: d["layers"][0].update(units=-1), "units"),
        (lambda d: d["layers"][0].update(units=True), "units"),
        (lambda d: d["layers"][0].update(units=10**12), "needs more"),
        (lambda d: d["layers"][0].update(units=10**4200), "needs more"),
        (lambda d: d["layers"][0].update(name="b"), "names"),
        (lambda d: d["layers"].clear(), "at least one layer"),
        (lambda d: d["layers"].reverse(), "names"),
        (lambda d: d.update(input_shape=[10**4200]), "needs more"),
        (lambda d: d.update(input_shape=[]), "input_shape"),
        (lambda d: d.update(input_shape="3"), "input_shape"),
        (lambda d: d.update(dtype="float64"), "needs more"),
        (lambda d: d.update(dtype="object"), "dtype"),
        (lambda d: d.update(dtype=None), "dtype"),
        (lambda d: d.update(seed=-1), "seed"),
        (lambda d: d.update(loss="huber"), "Loss"),
        (lambda d: d.update(metrics=["r2"]), "metric"),
        (
            lambda d: d.update(optimizer=Adam(epsilon=1).to_config() | {"beta1": 10**400}),
            "descript",
        ),
        (lambda d: d.pop("loss"), "lacks 'loss'"),
    ],
)
def test_crafted_architectures(edit, match, content, refuse):
    refuse(forged(content, lambda description: edit(description["architecture"])), match)


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (lambda d: d.pop("state"), "lacks 'state'"),
        (lambda d: d["state"].update(step=-1), "step"),
        (lambda d: d["state"].update(epoch=2**60), "epoch"),
        (lambda d: d["state"].update(learning_rate="fast"), "learning_rate"),
        (lambda d: d["state"].update(seed=2**64), "seed"),
        (lambda d: d["history"]["values"].update(loss=[1.0]), "lengths"),
        (lambda d: d["history"]["values"].update(loss=["x", 1.0]), "float"),
        (lambda d: d["history"].update(values=[]), "description"),
        (lambda d: d["history"].update(epoch=[1, None]), "epoch"),
    ],
)
def test_crafted_training_states(edit, match, content, refuse):
    refuse(forged(content, lambda description: edit(description["training"])), match)


JUNK = [None, True, -1, 0.5, 10**30, 1e308, "", "x", [], {}, [[]], {"type": "Zeros"}, {"type": {}}]


def places(value, path=()):
    """Paths to every value inside a JSON value."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, key)
            yield from places(inner, (*path, key))


def replaced(place, junk):
    """An edit that puts junk at a place."""

    def edit(description):
        *outer, last = place
        for step in outer:
            description = description[step]
        description[last] = junk

    return edit


@pytest.mark.parametrize("key", ["architecture", "training"])
def test_any_value_replaced_by_any_other_loads_or_is_refused(key, content, folder):
    path, refused = folder / "junk", 0
    for place in places(description_of(content)[key]):
        for junk in JUNK:
            path.unlink(missing_ok=True)
            path.write_bytes(forged(content, replaced((key, *place), junk)))
            try:
                Network.load(path)
            except ModelFileError:
                refused += 1
    assert refused > 100


# ------------------------------------------------------------------------------------------- memory


def test_claims_get_no_memory(content, refuse):
    """A file of a kilobyte whose architecture and header both say: 10^12 units."""
    units = 10**12
    description = description_of(content)
    del description["training"]
    description["architecture"].update(layers=[Dense(units).to_config()], names=["dense_1"])
    entries = {
        "__metadata__": {"fastnn": json.dumps(description)},
        "dense_1/bias": {"dtype": "F32", "shape": [units], "data_offsets": [0, 4 * units]},
        "dense_1/weights": {
            "dtype": "F32",
            "shape": [3, units],
            "data_offsets": [4 * units, 16 * units],
        },
    }
    crafted = with_header(json.dumps(entries).encode(), bytes(100))
    tracemalloc.start()
    try:
        refuse(crafted, "needs more")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
