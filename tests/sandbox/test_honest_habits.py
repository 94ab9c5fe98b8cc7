"""What honest code does goes on working when it is sealed, and what is refused is said in words."""

from pathlib import Path

import numpy as np
import pytest
from attack_files import sealed

from graders.sandbox.transport import Locks, Sandbox, SealedProcess
from pytest_symmetry import errors
from pytest_symmetry.remote.proxy import Limits, OpenedSubmission, StudentFunctions
from pytest_symmetry.submission import Submission

HABITS = """
import bz2, collections, copy, csv, dataclasses, datetime, decimal, enum, fractions, functools, hashlib, io
import itertools, json, logging, math, operator, os, pathlib, pprint, random, re, statistics, string, sys
import tempfile, textwrap, threading, time, traceback, typing, uuid, warnings
from concurrent.futures import ThreadPoolExecutor
import numpy as np
import numpy.random as npr
from numpy.linalg import norm
import matplotlib
import matplotlib.pyplot as plt
from mpl_toolkits.mplot3d import Axes3D
import torch
import pandas as pd

matplotlib.use("Agg")

def plots():
    fig, ax = plt.subplots()
    ax.plot([1, 2], label="loss")
    plt.figure(figsize=(3, 4)); plt.plot([1, 2]); plt.xlabel("x"); plt.legend(); plt.show()
    plt.savefig("a.png")
    plt.rcParams["figure.figsize"] = (3, 4)
    return 1

def algebra():
    A = np.random.rand(60, 60)
    np.linalg.svd(A); np.linalg.inv(A + 60 * np.eye(60)); np.fft.fft(A); np.einsum("ij,jk->ik", A, A)
    np.polynomial.Polynomial([1, 2])(3); np.ma.masked_array([1], [0])
    return float(norm(np.eye(3)))

def big_product():
    A = np.ones((500, 500))
    return float((A @ A)[0, 0])

def in_threads():
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda x: x * x, range(8)))

def own_thread():
    found = []
    worker = threading.Thread(target=found.append, args=(3,))
    worker.start(); worker.join()
    return found

def testing():
    np.testing.assert_allclose(1.0, 1.0)
    return 1

def clock():
    started = time.perf_counter(); time.sleep(0.001)
    return datetime.datetime.now().year > 2000 and time.perf_counter() > started

def uncertain(): return len(str(uuid.uuid4())), len(os.urandom(4)), random.random() < 1

def warned():
    warnings.warn("careful"); logging.getLogger(__name__).warning("hello")
    return np.log(np.zeros(1))

def traced():
    try:
        1 / 0
    except ZeroDivisionError:
        return "ZeroDivisionError" in traceback.format_exc()

def deep(n=700): return 0 if n == 0 else 1 + deep(n - 1)

def temporary():
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder, "w.npy")
        np.save(place, np.ones(3)); np.savez(place.with_suffix(".npz"), a=np.ones(2))
        return np.load(place)

def later_import():
    import unittest, xml.dom.minidom, email.message, heapq, bisect, calendar, zoneinfo, difflib, pdb, ast
    return True

def c_library():
    import ctypes
    return ctypes.sizeof(ctypes.c_double)

def progress():
    print("epoch 1"); sys.stdout.flush(); sys.stderr.write("done"); sys.stdout.write("x")
    return 1

def cores(): return os.cpu_count() is None or os.cpu_count() >= 1

def uses_torch(): return torch.ones(3)

def reads_data(): return open("data.csv").read(), np.loadtxt("data.csv", delimiter=",")

def writes_beside(): open("out.csv", "w")

def types_something(): return input("name?")

def downloads():
    import urllib.request
    return urllib.request.urlopen("http://example.org")

def runs_a_program():
    import subprocess
    return subprocess.check_output(["ls"])

def many_processes():
    import multiprocessing
    return multiprocessing.Pool(2)
"""
WORKING = {
    "plots": 1,
    "algebra": 3**0.5,
    "big_product": 500.0,
    "in_threads": [x * x for x in range(8)],
    "own_thread": [3],
    "testing": 1,
    "clock": True,
    "uncertain": (36, 4, True),
    "warned": np.array([-np.inf]),
    "traced": True,
    "deep": 700,
    "later_import": True,
    "c_library": 8,
    "progress": 1,
    "cores": True,
}


def functions(transport):
    submission = Submission("ada", Path("ada.ipynb"), "0", ((1, HABITS),))
    return StudentFunctions(OpenedSubmission(submission, transport, Limits(5.0, 512 << 20)))


@pytest.fixture(scope="module", params=[3, 2], ids=["level-3", "level-2"])
def student(request):
    transport = sealed(request.getfixturevalue(f"sandbox_{request.param}"))
    yield functions(transport)
    transport.close()


@pytest.mark.parametrize("habit", WORKING)
def test_a_habit_works(student, habit):
    """The sandbox is not noticed by those who do nothing odd."""
    assert np.array_equal(WORKING[habit], getattr(student, habit)())


@pytest.mark.parametrize(
    ("habit", "said"),
    [
        ("types_something", "the grader does not allow reading what somebody types"),
        ("downloads", "the grader does not allow network connections"),
        ("runs_a_program", "the grader does not allow starting other programs or processes"),
        ("uses_torch", "torch is not installed here"),
    ],
)
def test_what_is_refused_is_said(student, habit, said):
    """In the grader's words, with the student's own line."""
    with pytest.raises(errors.RaisedError) as caught:
        getattr(student, habit)()

    assert said in caught.value.finding.facts["message"]
    assert 1 == caught.value.finding.place.cell


def test_scratch_files_work_where_there_is_a_scratch_folder(sandbox_3):
    """Temporary files, saved and loaded again."""
    transport = sealed(sandbox_3)

    assert [1.0, 1.0, 1.0] == list(functions(transport).temporary())
    transport.close()


@pytest.mark.parametrize("level", [3, 2])
def test_the_assignments_data_can_be_read_and_not_changed(tmp_path, level, request):
    """It is the working directory, at every level."""
    request.getfixturevalue(f"sandbox_{level}")
    (tmp_path / "data.csv").write_text("1,2\n3,4\n", encoding="utf-8")
    box = Sandbox(str(tmp_path), Locks(namespaces=level == 3))
    assert level == box.start().level
    student = functions(SealedProcess(box, 512 << 20))
    text, array = student.reads_data()
    with pytest.raises(errors.RaisedError) as caught:
        student.writes_beside()
    student._opened.close()
    box.close()

    assert "1,2\n3,4\n" == text
    assert np.array_equal([[1, 2], [3, 4]], array)
    assert "the grader " in caught.value.finding.facts["message"]
    assert ["data.csv"] == [p.name for p in tmp_path.iterdir()]
