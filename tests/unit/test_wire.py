"""Frames between the judge and a student's process."""

import collections
import contextlib
import json
import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_symmetry.remote import wire

Pair = collections.namedtuple("Pair", "a b")

numbers = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(max_size=20),
    st.complex_numbers(allow_nan=False),
)  # fmt: skip
arrays = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.int64, np.int8, np.uint16, np.bool_, np.complex128]),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)
values = st.recursive(
    numbers,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.one_of(st.text(), st.integers()), inner, max_size=4),
    ),
    max_leaves=12,
)


def through(value):
    return wire.decode(wire.encode({"value": value}))["value"]


@given(values)
def test_plain_values_come_back_equal_and_of_the_same_type(value):
    """None, numbers, texts, lists, tuples and dicts cross unchanged."""
    assert repr(value) == repr(through(value))


@given(arrays)
def test_arrays_come_back_equal(array):
    """Shape, dtype and every bit."""
    back = through(array)

    assert array.dtype == back.dtype
    assert array.shape == back.shape
    assert array.tobytes() == back.tobytes()
    assert back.flags.writeable


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_lacks_cross(value):
    """NaN and the infinities are numbers too."""
    assert repr(value) == repr(through(value))


def test_numpy_numbers_stay_numpy_numbers():
    """A float32 loss is recognised as one."""
    back = through(np.float32(0.1))

    assert type(back) is np.float32
    assert np.float32(0.1) == back


def test_other_byte_orders_and_layouts_cross():
    """Fortran order and big-endian bytes are the sender's business."""
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3)).astype(">f8")

    assert np.array_equal(np.arange(6.0).reshape(2, 3), through(array))


def test_generators_cross_by_state():
    """The same numbers are drawn on the other side."""
    rng = np.random.default_rng(5)
    rng.normal(size=3)
    twin = through(rng)

    assert rng.normal() == twin.normal()


def test_a_named_tuple_goes_back_as_what_it_was():
    """Read as a tuple by the judge, handed back as the student's own object."""
    kept = []

    def keep(value):
        kept.append(value)
        return wire.Handle(len(kept) - 1, type(value).__name__)

    there = wire.decode(wire.encode({"cache": Pair(1, np.ones(2))}, keep))["cache"]
    back = wire.decode(wire.encode({"cache": there}), lambda known: kept[known.number])["cache"]

    assert 1 == there[0]
    assert back is kept[0]


def test_a_changed_dict_stands_for_itself():
    """Once the judge changes its copy of a student's OrderedDict, the original is not what is meant."""
    there = wire.decode(
        wire.encode({"p": collections.OrderedDict(W=1.0)}, lambda v: wire.Handle(0, type(v).__name__))
    )["p"]
    there.update(W=2.0)

    assert {"W": 2.0} == wire.decode(wire.encode({"p": there}))["p"]


def test_what_cannot_cross_is_refused_with_its_type():
    """Functions, modules and files have no copy."""
    with pytest.raises(wire.WireError, match="a module cannot be passed"):
        wire.encode({"value": json})


def test_a_value_that_holds_itself_is_refused():
    """No endless frame."""
    loop = []
    loop.append(loop)

    with pytest.raises(wire.WireError, match="holds itself"):
        wire.encode({"value": loop})


def test_a_frame_that_is_too_large_is_refused_on_both_sides(monkeypatch):
    """The limit holds for the sender and, without reading the rest, for the receiver."""
    monkeypatch.setattr(wire, "FRAME_BYTES", 1000)

    with pytest.raises(wire.WireError, match="too large"):
        wire.encode({"value": np.zeros(1000)})
    with pytest.raises(wire.WireError, match="announced"):
        wire.read_frame(lambda size: struct.pack("<II", 2**31, 2**31))


def test_a_stream_that_ends_inside_a_frame_is_told_from_a_clean_end():
    """None at a clean end, an error in the middle."""
    frame = wire.encode({"value": np.ones(3)})
    position = 0

    def read(size):
        nonlocal position
        part = frame[position : min(position + size, len(frame) - 3)]
        position += len(part)
        return part

    assert wire.read_frame(lambda size: b"") is None
    with pytest.raises(wire.WireError, match="ended inside"):
        wire.read_frame(read)


@settings(max_examples=500)
@given(st.data())
def test_a_damaged_frame_is_an_error_and_nothing_else(data):
    """Whatever a hostile process sends, decoding raises WireError or returns plain values."""
    frame = bytearray(wire.encode({"a": np.arange(4.0), "b": [1, (2.5, "x")], "c": {"k": np.bool_(True)}}))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))

    with contextlib.suppress(wire.WireError):
        wire.decode(bytes(frame))


def hostile(body, arrays=(), raw=b""):
    header = json.dumps({"body": body, "arrays": list(arrays)}).encode()
    return struct.pack("<II", len(header), len(raw)) + header + raw


@pytest.mark.parametrize("kind", ["MT19937", "Philox"])
@pytest.mark.parametrize("position", [-1, 5000])
def test_a_generator_that_points_beside_its_state_is_refused(kind, position):
    """Numpy itself believes the number, and reads what lies there."""
    rng = np.random.Generator(getattr(np.random, kind)(1))
    name = "pos" if kind == "MT19937" else "buffer_pos"
    frame = wire.encode({"v": rng})
    size = struct.unpack_from("<I", frame)[0]
    header = json.loads(frame[8 : 8 + size])

    def forged(value):
        if isinstance(value, list):
            return [value[0], position] if value[:1] == [name] else [forged(v) for v in value]
        return {k: forged(v) for k, v in value.items()} if isinstance(value, dict) else value

    with pytest.raises(wire.WireError, match="beside its own state"):
        wire.decode(hostile(forged(header["body"]), header["arrays"], frame[8 + size :]))


@pytest.mark.parametrize("value", [2**5000, {"x" * 2000: 1}])
def test_what_no_page_could_show_does_not_cross(value):
    """Numbers of thousands of bits, names of thousands of characters."""
    with pytest.raises(wire.WireError, match=r"bits|characters"):
        wire.encode({"v": value})


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        hostile([1, 2]),
        hostile({"v": {"a": 0}}),
        hostile({"v": {"a": -1}}, [["<f8", [1]]], b"\0" * 8),
        hostile({"v": {"a": 0}}, [["<f8", [1 << 40]]], b"\0" * 8),
        hostile({"v": {"a": 0}}, [["|O", [1]]], b"\0" * 8),
        hostile({"v": {"a": 0}}, [["<f8", [-1]]], b"\0" * 8),
        hostile({"v": {"a": 0}}, [["<f8", [True]]], b"\0" * 8),
        hostile({"v": {"g": ["os.system", {"d": []}]}}),
        hostile({"v": {"z": 1}}),
        hostile({"v": [1]}),
        hostile({"v": {"i": "zz"}}),
        hostile({"v": {"i": "0x" + "f" * 2000}}),
        hostile({"v": {"d": [["x" * 2000, 1]]}}),
        hostile({"v": {"h": [0, "x" * 2000]}}),
        hostile({"v": {"a": 0}}, [["<f8", [1 << 40, 0]]]),
        hostile({"v": {"l": [{"a": 0}, {"a": 0}]}}, [["<f8", [1]]], b"\0" * 8),
        hostile({"v": {"l": [{"a": 0}, {"s": 0}]}}, [["<f8", []]], b"\0" * 8),
        hostile({"v": 1}, raw=b"left over"),
        hostile({"v": {"l": [{"l": []}], "t": []}}),
    ],
)
def test_hostile_frames_are_refused(frame):
    """Lengths, dtypes, kinds and references that do not exist."""
    with pytest.raises(wire.WireError):
        wire.decode(frame)


def test_a_bool_is_true_or_false():
    """Bytes other than 0 and 1 do not make a third truth value."""
    back = wire.decode(hostile({"v": {"a": 0}}, [["|b1", [2]]], b"\x02\x00"))["v"]

    assert b"\x01\x00" == back.tobytes()


def test_a_table_of_many_small_numbers_crosses():
    """The losses of many steps, by step: no two of these have one hash."""
    losses = dict.fromkeys(range(20_000), 0.5)

    assert {"result": losses} == wire.decode(wire.encode({"result": losses}))


@pytest.mark.parametrize("key", [lambda n: (n, n), lambda n: n * (2**61 - 1), lambda n: complex(n, n)])
def test_a_table_of_many_keys_that_may_have_one_hash_does_not(key, monkeypatch):
    """Neither written, in words for who made it, nor read: it could take minutes to build."""
    table = {key(n): 0 for n in range(1, 52)}
    frame = wire.encode({"result": table})
    monkeypatch.setattr(wire, "_KEYS", 50)
    with pytest.raises(wire.WireError, match="keys that are not names"):
        wire.encode({"result": table})
    with pytest.raises(wire.WireError, match="keys that are not names"):
        wire.decode(frame)
