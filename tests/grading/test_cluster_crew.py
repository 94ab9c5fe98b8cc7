"""Who gets what: nothing twice, nothing lost, whatever workers do; and who does not get anything."""

import random
from concurrent.futures import BrokenExecutor
from dataclasses import replace

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from scripted_cluster import Scene, Worker

from graders import batch
from graders.cluster.kinds import kind_here
from graders.cluster.roll import ClusterError


@pytest.fixture
def staged(tmp_path):
    """Makes scenes, and ends their crews."""
    scenes = []

    def make(*workers):
        scenes.append(Scene(tmp_path, *workers))
        return scenes[-1]

    yield make
    for scene in scenes:
        scene.crew.shutdown()


def other(**changes):
    """Return a worker of another kind."""
    return Worker("tcp://odd:1", replace(kind_here(), **changes))


def give(scene, *students):
    """Hand chunks out and return their outcomes."""
    outcomes = [scene.crew.submit(batch.grade_chunk, scene.task(s)) for s in students]
    scene.settle()
    return outcomes


def test_two_workers_share_and_each_has_one_more_than_it_can_do(staged):
    a, b = Worker("tcp://a:1"), Worker("tcp://b:1")
    scene = staged(a, b)
    outcomes = give(scene, *"vwxyz")

    assert [2, 2] == [len(a.asked), len(b.asked)]
    for worker in (a, b, a, b, a, b):
        if worker.asked:
            worker.answer()
        scene.settle()
    assert ["v", "w", "x", "y", "z"] == [o.result(0)[0][0].student for o in outcomes]
    assert "page of v" == outcomes[0].result(0)[0][1]


def test_two_chunks_for_two_workers_are_one_for_each(staged):
    """Nobody waits behind another's while there is somebody with nothing to do."""
    a, b = Worker("tcp://a:1"), Worker("tcp://b:1")
    scene = staged(a, b)
    scene.crew.submit(batch.examine, str(scene.folder / "tiny"), "strict")
    scene.settle()
    for student in "yz":
        scene.crew.submit(batch.grade_chunk, scene.task(student))
    scene.think()

    assert [["y"], ["z"]] == [[head["entries"][0]["student"] for _, head in w.asked] for w in (a, b)]


def test_submissions_are_sent_with_what_a_worker_needs_and_no_more(staged):
    """Who else is in the class stays here, and so does where things lie."""
    a = Worker("tcp://a:1")
    scene = staged(a)
    give(scene, "v")
    (_, head) = a.asked[0]

    assert {"v": "p-v"} == head["task"]["names"]
    assert [{"student", "file", "label", "sha256"}] == [set(e) for e in head["entries"]]
    assert str(scene.folder) not in str(head["entries"])


def test_whoever_is_idle_does_along_what_another_has_not_brought_back(staged):
    """A paused worker never answers; when it wakes up, nobody listens."""
    a, paused = Worker("tcp://a:1"), Worker("tcp://paused:1")
    scene = staged(a, paused)
    outcomes = give(scene, *"wxyz")
    while not all(o.done() for o in outcomes):
        a.answer()
        scene.settle()

    assert 2 == len(paused.asked)
    assert all(future.cancelled() for future, _ in paused.asked)
    assert [] == scene.said


def test_what_a_lost_worker_had_goes_to_others(staged):
    a, b = Worker("tcp://a:1"), Worker("tcp://b:1")
    scene = staged(a, b)
    outcomes = give(scene, *"wxyz")
    del scene.client.workers["tcp://b:1"]
    scene.settle()
    for _ in outcomes:
        a.answer()
        scene.settle()

    assert all(o.result(0) for o in outcomes)


def test_what_ends_every_worker_is_given_up(staged):
    workers = [Worker(f"tcp://{i}:1") for i in range(3)]
    scene = staged(*workers)
    (outcome,) = give(scene, "z")
    for _ in range(3):
        holder = next(w for w in workers if w.asked and w.address in scene.client.workers)
        del scene.client.workers[holder.address]
        scene.client.workers[f"tcp://new{len(workers)}:1"] = Worker(f"tcp://new{len(workers)}:1")
        workers.append(scene.client.workers[f"tcp://new{len(workers)}:1"])
        scene.settle()

    with pytest.raises(BrokenExecutor):
        outcome.result(0)


def test_a_worker_that_loses_all_it_gets_is_left_out_before_it_does_harm(staged):
    """Its disk may be full: that is no reason to believe that three submissions are to blame."""
    a, ill = Worker("tcp://a:1"), Worker("tcp://ill:1")
    scene = staged(a, ill)
    outcomes = give(scene, *"vwxyz")
    while ill.asked:
        ill.lose()
        scene.settle()
    while a.asked:
        a.answer()
        scene.settle()

    assert all(o.result(0) for o in outcomes)
    assert [
        "worker tcp://ill:1 is left out: the process that grades there ends again and again"
    ] == scene.said


@pytest.mark.parametrize(
    ("worker", "said"),
    [
        (
            other(versions={**kind_here().versions, "pytest-symmetry": "0.0.1"}),
            f"it has pytest-symmetry 0.0.1, and this machine {kind_here().versions['pytest-symmetry']}",
        ),
        (
            other(versions={**kind_here().versions, "numpy": "1.0"}),
            f"it has numpy 1.0, and this machine {kind_here().versions['numpy']}",
        ),
        (other(files="0123"), f"has other files (0123) than that of this machine ({kind_here().files})"),
        (
            other(processor="abacus"),
            f"its processor is abacus, and that of the others {kind_here().processor}",
        ),
        (Worker("tcp://odd:1", level=2), "it isolates submissions at level 2 (sealed, without namespaces)"),
    ],
    ids=["version", "numpy", "files", "processor", "isolation"],
)
def test_a_worker_that_would_say_other_bytes_is_left_out_in_a_sentence(staged, worker, said):
    a, b = Worker("tcp://a:1"), Worker("tcp://b:1")
    worker.asked.clear()
    scene = staged(worker, a, b)
    (outcome,) = give(scene, "z")
    next(w for w in (a, b) if w.asked).answer()
    scene.settle()

    assert outcome.result(0)
    assert [] == worker.asked
    (sentence,) = scene.said
    assert sentence.startswith("worker tcp://odd:1 is left out: ")
    assert said in sentence


def test_where_nobody_can_grade_the_command_ends_with_the_reason(staged):
    scene = staged(other(versions={**kind_here().versions, "python": "2.7"}))
    asked = scene.crew.submit(batch.examine, str(scene.folder / "tiny"), "strict")
    scene.settle()

    with pytest.raises(ClusterError, match=r"no worker there can grade; worker tcp://odd:1 .* python 2\.7"):
        asked.result(0)


def test_who_comes_later_is_asked_too(staged):
    scene = staged()
    (outcome,) = give(scene, "z")
    assert ["tcp://there: no worker is there; waiting for one"] == scene.said
    late = scene.client.workers["tcp://late:1"] = Worker("tcp://late:1")
    scene.settle()
    late.answer()
    scene.settle()

    assert outcome.result(0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"student": "somebody"}, "it answered for a submission that it was not sent"),
        ({"sha256": "0"}, "it answered for a submission that it was not sent"),
        ({"seed": "6"}, "another seed or other versions"),
        ({"versions": {}}, "another seed or other versions"),
        ({"isolation": "none"}, "at another isolation"),
        ({"assignment": "other"}, "another assignment"),
        ({"told": replace(kind_here(), files="0")}, "it changed between two answers"),
        ({"pages": []}, "its answer cannot be read"),
        ({"pages": [b"\xff"]}, "its answer cannot be read"),
    ],
)
def test_an_answer_that_does_not_belong_to_the_question_is_not_believed(staged, changes, said):
    """The next worker is asked, and this one nothing more."""
    liar, a = Worker("tcp://liar:1"), Worker("tcp://a:1")
    scene = staged(liar, a)
    outcomes = give(scene, *"yz")
    liar.answer(**changes)
    scene.settle()
    while a.asked:
        a.answer()
        scene.settle()

    assert [6.0, 6.0] == [o.result(0)[0][0].points for o in outcomes]
    assert said in scene.said[0]


def test_a_submission_that_changed_meanwhile_is_not_sent(staged):
    scene = staged(Worker("tcp://a:1"))
    task = scene.task("z")
    task.entries[0].path.write_text("2")
    outcome = scene.crew.submit(batch.grade_chunk, task)
    scene.settle()

    with pytest.raises(OSError, match="changed while the class was graded"):
        outcome.result(0)


def test_a_scheduler_that_is_gone_ends_the_command_with_a_way_on(staged):
    scene = staged(Worker("tcp://a:1"))
    (outcome,) = give(scene, "z")
    scene.client.gone = True
    scene.settle()

    with pytest.raises(ClusterError, match="run the same command again to go on"):
        outcome.result(0)


def test_another_function_is_no_work_for_a_cluster(staged):
    with pytest.raises(TypeError):
        staged().crew.submit(print)


@pytest.mark.parametrize("runs", [pytest.param(40), pytest.param(1000, marks=pytest.mark.sweep)])
def test_whatever_happens_each_chunk_comes_back_once_and_is_its_own(tmp_path, runs):
    """Workers answer, lose what they have, leave and come in any order."""

    @settings(max_examples=runs, deadline=None)
    @given(st.integers(0, 2**32), st.integers(1, 4), st.integers(1, 12))
    def play(seed, workers, chunks):
        note(f"seed {seed}")
        chance = random.Random(seed)
        scene = Scene(tmp_path, *(Worker(f"tcp://{i}:1") for i in range(workers)))
        try:
            students = [f"s{i}" for i in range(chunks)]
            outcomes = give(scene, *students)
            count = workers
            while not all(o.done() for o in outcomes):
                there = list(scene.client.workers.values())
                one = chance.choice(there) if there else None
                what = chance.choice(("answer", "answer", "answer", "lose", "leave", "come"))
                if what == "come" or one is None:
                    scene.client.workers[f"tcp://{count}:1"] = Worker(f"tcp://{count}:1")
                    count += 1
                elif what == "leave":
                    del scene.client.workers[one.address]
                elif one.asked:
                    getattr(one, what)()
                scene.settle()
            for student, outcome in zip(students, outcomes, strict=True):
                if outcome.exception() is None:
                    ((result, page),) = outcome.result()
                    assert (student, f"page of {student}") == (result.student, page)
                else:
                    assert isinstance(outcome.exception(), BrokenExecutor | ClusterError)
        finally:
            scene.crew.shutdown()

    play()
