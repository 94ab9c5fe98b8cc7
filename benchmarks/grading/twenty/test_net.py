"""Twenty questions, as a course would ask them: values at random inputs, a slope, a few habits."""

import numpy as np
import pytest

from pytest_symmetry import check_gradients, check_matches, check_purity, check_symmetry

N_X, N_H, N_Y, M = 3, 5, 2, 7


@pytest.fixture
def net(probe_rng):
    """Examples, targets and parameters."""
    shapes = {"W1": (N_H, N_X), "b1": (N_H, 1), "W2": (N_Y, N_H), "b2": (N_Y, 1)}
    parameters = {name: probe_rng.normal(size=shape) for name, shape in shapes.items()}
    return probe_rng.normal(size=(N_X, M)), probe_rng.integers(0, 2, size=(N_Y, M)) * 1.0, parameters


@pytest.fixture
def outputs(probe_rng):
    """Outputs of the network and targets."""
    return probe_rng.uniform(0.1, 0.9, size=(N_Y, M)), probe_rng.integers(0, 2, size=(N_Y, M)) * 1.0


def test_sigmoid(submission, reference, probe_rng):
    check_matches(submission.sigmoid, reference.sigmoid, probe_rng.normal(size=(N_Y, M)))


def test_sigmoid_of_large_numbers(submission, reference):
    check_matches(submission.sigmoid, reference.sigmoid, np.array([[-900.0, 0.0, 900.0]]))


def test_sigmoid_slope(submission, reference, outputs):
    check_matches(submission.sigmoid_slope, reference.sigmoid_slope, outputs[0])


def test_normalize(submission, reference, net):
    check_matches(submission.normalize, reference.normalize, net[0])


def test_one_hot(submission, reference, probe_rng):
    check_matches(submission.one_hot, reference.one_hot, probe_rng.integers(0, 4, size=M), 4)


def test_shapes_of_the_start(submission, reference):
    check_matches(
        lambda: {name: np.shape(value) for name, value in submission.initialize(N_X, N_H, N_Y).items()},
        lambda: {name: np.shape(value) for name, value in reference.initialize(N_X, N_H, N_Y).items()},
    )


def test_units_start_different(submission):
    check_symmetry(submission.initialize(N_X, N_H, N_Y))


def test_same_seed_same_start(submission):
    check_matches(submission.initialize(N_X, N_H, N_Y, 3), submission.initialize(N_X, N_H, N_Y, 3))


def test_linear(submission, reference, net):
    X, _, parameters = net
    check_matches(submission.linear, reference.linear, parameters["W1"], X, parameters["b1"])


def test_hidden(submission, reference, net):
    check_matches(submission.hidden, reference.hidden, net[0], net[2])


def test_forward(submission, reference, net):
    check_matches(submission.forward, reference.forward, net[0], net[2])


def test_loss(submission, reference, outputs):
    check_matches(submission.loss, reference.loss, *outputs)


def test_loss_of_right_outputs(submission, reference, outputs):
    check_matches(submission.loss, reference.loss, outputs[1], outputs[1])


def test_accuracy(submission, reference, probe_rng):
    labels = probe_rng.integers(0, 3, size=(2, M))
    check_matches(submission.accuracy, reference.accuracy, *labels)


def test_predict(submission, reference, net):
    check_matches(submission.predict, reference.predict, net[0], net[2])


def test_output_error(submission, reference, outputs):
    check_matches(submission.output_error, reference.output_error, *outputs)


@pytest.mark.points(3)
def test_backward(submission, reference, net):
    check_matches(submission.backward, reference.backward, *net)


@pytest.mark.points(3)
def test_gradients_are_the_slopes_of_the_loss(submission, net):
    X, Y, parameters = net
    check_gradients(
        lambda p: submission.loss(submission.forward(X, p), Y),
        lambda p: submission.backward(X, Y, p),
        parameters,
    )


def test_update_makes_new_parameters(submission, net):
    X, Y, parameters = net
    check_purity(submission.update, parameters, submission.backward(X, Y, parameters), 0.3)


@pytest.mark.points(2)
def test_train(submission, reference, net):
    check_matches(submission.train, reference.train, *net, 3, 0.3)
