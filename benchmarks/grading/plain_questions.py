"""The twenty questions of the assignment ``twenty`` as plain asserts, for nbgrader and otter.

Each is a name and the code of one test; ``SETUP`` is run before. What is asked is the same as in
``twenty/test_net.py``; expected values come from formulas in the test, as such courses write them.
"""

SETUP = """\
import numpy as np

rng = np.random.default_rng(7)
X, Y = rng.normal(size=(3, 7)), rng.integers(0, 2, size=(2, 7)) * 1.0
A2 = rng.uniform(0.1, 0.9, size=(2, 7))
parameters = {"W1": rng.normal(size=(5, 3)), "b1": rng.normal(size=(5, 1)),
              "W2": rng.normal(size=(2, 5)), "b2": rng.normal(size=(2, 1))}
right_hidden = np.tanh(parameters["W1"] @ X + parameters["b1"])
right_output = 1 / (1 + np.exp(-(parameters["W2"] @ right_hidden + parameters["b2"])))
right_error = (right_output - Y) * right_output * (1 - right_output) / 7
right_hidden_error = (parameters["W2"].T @ right_error) * (1 - right_hidden**2)
right = {"dW1": right_hidden_error @ X.T, "db1": right_hidden_error.sum(axis=1, keepdims=True),
         "dW2": right_error @ right_hidden.T, "db2": right_error.sum(axis=1, keepdims=True)}
"""

QUESTIONS = {
    "sigmoid": "assert np.allclose(sigmoid(X), 1 / (1 + np.exp(-X)))",
    "sigmoid_of_large_numbers": "assert np.allclose(sigmoid(np.array([-900.0, 0, 900])), [0, 0.5, 1])",
    "sigmoid_slope": "assert np.allclose(sigmoid_slope(A2), A2 * (1 - A2))",
    "normalize": "Z = normalize(X)\nassert np.allclose(Z.mean(axis=1), 0) and np.allclose(Z.std(axis=1), 1)",
    "one_hot": "assert np.array_equal(one_hot(np.array([2, 0, 1]), 3), [[0, 1, 0], [0, 0, 1], [1, 0, 0]])",
    "shapes": "assert [v.shape for v in initialize(3, 5, 2).values()] == [(5, 3), (5, 1), (2, 5), (2, 1)]",
    "units_differ": "W1 = initialize(3, 5, 2)['W1']\nassert len(np.unique(W1.round(12), axis=0)) == 5",
    "seed": "assert np.array_equal(initialize(3, 5, 2, 3)['W1'], initialize(3, 5, 2, 3)['W1'])",
    "linear": "W, b = parameters['W1'], parameters['b1']\nassert np.allclose(linear(W, X, b), W @ X + b)",
    "hidden": "assert np.allclose(hidden(X, parameters), right_hidden)",
    "forward": "assert np.allclose(forward(X, parameters), right_output)",
    "loss": "assert np.isclose(loss(A2, Y), np.sum((A2 - Y) ** 2) / 14)",
    "loss_of_right_outputs": "assert loss(Y, Y) == 0",
    "accuracy": "assert np.isclose(accuracy(np.array([1, 2, 3]), np.array([1, 2, 0])), 2 / 3)",
    "predict": "assert np.array_equal(predict(X, parameters), right_output.argmax(axis=0))",
    "output_error": "assert np.allclose(output_error(A2, Y), (A2 - Y) * A2 * (1 - A2) / 7)",
    "backward": "g = backward(X, Y, parameters)\nassert all(np.allclose(g[n], right[n]) for n in right)",
    "slopes": """\
g = backward(X, Y, parameters)
for name in parameters:
    for index in np.ndindex(parameters[name].shape):
        plus, minus = ({n: v.copy() for n, v in parameters.items()} for _ in range(2))
        plus[name][index] += 1e-5
        minus[name][index] -= 1e-5
        slope = (loss(forward(X, plus), Y) - loss(forward(X, minus), Y)) / 2e-5
        assert np.isclose(slope, g["d" + name][index], rtol=1e-4, atol=1e-7)""",
    "update": """\
new = update(parameters, right, 0.3)
assert all(np.allclose(new[n], parameters[n] - 0.3 * right["d" + n]) for n in parameters)""",
    "train": """\
p = train(X, Y, parameters, 3, 0.3)
assert loss(forward(X, p), Y) < loss(forward(X, parameters), Y)""",
}
