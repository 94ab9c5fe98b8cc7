# ruff: noqa: E501 - a patch reads best on one line
"""Four layers, ReLU and a sigmoid at the end, layer by layer with caches."""

import numpy as np
from specimens.rehearsal import gradient_finding, match_finding
from specimens.subjects import fault

REFERENCE = """
import numpy as np

def relu(Z):
    return np.maximum(0, Z)

def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))

def relu_backward(dA, Z):
    return dA * (Z > 0)

def sigmoid_backward(dA, Z):
    s = sigmoid(Z)
    return dA * s * (1 - s)

def forward(X, parameters):
    A, caches = X, []
    L = len(parameters) // 2
    for l in range(1, L + 1):
        A_prev = A
        Z = parameters["W" + str(l)] @ A_prev + parameters["b" + str(l)]
        A = relu(Z) if l < L else sigmoid(Z)
        caches.append((A_prev, Z))
    return A, caches

def cost(AL, Y):
    m = Y.shape[1]
    return -np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / m

def backward(X, Y, parameters):
    AL, caches = forward(X, parameters)
    L, m = len(caches), X.shape[1]
    grads = {}
    dA = -(Y / AL - (1 - Y) / (1 - AL))
    for l in range(L, 0, -1):
        A_prev, Z = caches[l - 1]
        if l == L:
            dZ = sigmoid_backward(dA, Z)
        else:
            dZ = relu_backward(dA, Z)
        grads["dW" + str(l)] = dZ @ A_prev.T / m
        grads["db" + str(l)] = np.sum(dZ, axis=1, keepdims=True) / m
        dA = parameters["W" + str(l)].T @ dZ
    return grads
"""

CLASSES = """
import numpy as np

class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b
    def __call__(self, x):
        self.x = x
        return self.W.dot(x) + self.b
    def back(self, g):
        n = g.shape[1]
        self.gW, self.gb = g.dot(self.x.T) / n, g.mean(axis=1).reshape(-1, 1)
        return self.W.T.dot(g)

class Rectifier:
    def __call__(self, x):
        self.on = x > 0
        return np.where(self.on, x, 0)
    def back(self, g):
        return np.where(self.on, g, 0)

def build(theta):
    layers, n = [], len(theta) // 2
    for i in range(1, n + 1):
        layers += [Affine(theta[f"W{i}"], theta[f"b{i}"]), Rectifier()]
    return layers[:-1]

def run(x, layers):
    for layer in layers:
        x = layer(x)
    return 1 / (1 + np.exp(-x))

def forward(X, parameters):
    return run(X, build(parameters)), None

def cost(AL, Y):
    return np.mean(np.sum(-np.log(np.where(Y > 0, AL, 1 - AL)), axis=0))

def backward(X, Y, parameters):
    layers = build(parameters)
    g = run(X, layers) - Y
    for layer in layers[::-1]:
        g = layer.back(g)
    found = {}
    for i, layer in enumerate(layers[::2], start=1):
        found[f"dW{i}"], found[f"db{i}"] = layer.gW, layer.gb
    return found
"""

UNROLLED = """
import numpy as np

def act(z):
    return z * (z > 0)

def end(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))

def all_values(X, q):
    z1 = np.dot(q["W1"], X) + q["b1"]; a1 = act(z1)
    z2 = np.dot(q["W2"], a1) + q["b2"]; a2 = act(z2)
    z3 = np.dot(q["W3"], a2) + q["b3"]; a3 = act(z3)
    z4 = np.dot(q["W4"], a3) + q["b4"]; a4 = end(z4)
    return z1, a1, z2, a2, z3, a3, z4, a4

def forward(X, parameters):
    return all_values(X, parameters)[-1], 0

def cost(AL, Y):
    return (-(Y * np.log(AL)).sum() - ((1 - Y) * np.log1p(-AL)).sum()) / Y.shape[1]

def backward(X, Y, parameters):
    q = parameters
    z1, a1, z2, a2, z3, a3, z4, a4 = all_values(X, q)
    k = 1.0 / X.shape[1]
    d4 = k * (a4 - Y)
    d3 = np.dot(q["W4"].T, d4) * (a3 > 0)
    d2 = np.dot(q["W3"].T, d3) * (a2 > 0)
    d1 = np.dot(q["W2"].T, d2) * (a1 > 0)
    return {
        "dW4": np.dot(d4, a3.T), "db4": d4.sum(1, keepdims=True),
        "dW3": np.dot(d3, a2.T), "db3": d3.sum(1, keepdims=True),
        "dW2": np.dot(d2, a1.T), "db2": d2.sum(1, keepdims=True),
        "dW1": np.dot(d1, X.T), "db1": d1.sum(1, keepdims=True),
    }
"""

STYLES = {"classes": CLASSES, "unrolled": UNROLLED}

rng = np.random.default_rng(5)
WIDTHS = (3, 5, 6, 4, 2)
P = {}
for i in range(1, 5):
    P[f"W{i}"] = rng.normal(size=(WIDTHS[i], WIDTHS[i - 1]))
    P[f"b{i}"] = rng.normal(size=(WIDTHS[i], 1))
X = rng.normal(size=(3, 11))
Y = (rng.random((2, 11)) > 0.5) * 1.0
A = rng.uniform(0.1, 0.9, size=(2, 11))


def tests(student, reference):
    """Forward, cost, then the gradients of the student's own cost."""
    return [
        lambda: match_finding(
            lambda x, p: student.forward(x, p)[0], lambda x, p: reference.forward(x, p)[0], X, P
        ),
        lambda: match_finding(student.cost, reference.cost, A, Y),
        lambda: gradient_finding(
            lambda p: student.cost(student.forward(X, p)[0], Y), lambda p: student.backward(X, Y, p), P
        ),
    ]


FAULTS = [
    fault(1, "ReLU derivative missing everywhere", "activation-derivative-missing",
          classes="return np.where(self.on, g, 0) => return g",
          unrolled=("d4) * (a3 > 0) => d4)", "d3) * (a2 > 0) => d3)", "d2) * (a1 > 0) => d2)")),
    fault(15, "sigmoid's derivative in hidden layers", "derivative-of-another-activation another-function",
          unrolled=("d4) * (a3 > 0) => d4) * end(z3) * (1 - end(z3))", "d3) * (a2 > 0) => d3) * end(z2) * (1 - end(z2))", "d2) * (a1 > 0) => d2) * end(z1) * (1 - end(z1))")),
    fault(8, "1/m never", "factor-m", classes=("g.dot(self.x.T) / n => g.dot(self.x.T)", "g.mean(axis=1) => g.sum(axis=1)"), unrolled="k = 1.0 / X.shape[1] => k = 1.0"),
    fault(7, "1/m in every layer", "factor-1-over-m",
          classes="return self.W.T.dot(g) => return self.W.T.dot(g) / n", unrolled=("d3 = np.dot => d3 = k * np.dot", "d2 = np.dot => d2 = k * np.dot", "d1 = np.dot => d1 = k * np.dot")),
    fault(10, "sigmoid's derivative extra", "output-derivative-extra activation-derivative-twice",
          classes="g = run(X, layers) - Y => a = run(X, layers); g = (a - Y) * a * (1 - a)", unrolled="d4 = k * (a4 - Y) => d4 = k * (a4 - Y) * a4 * (1 - a4)"),
    fault(9, "sigmoid's derivative missing", "activation-derivative-missing",
          classes="g = run(X, layers) - Y => a = run(X, layers); g = (a - Y) / (a * (1 - a))", unrolled="d4 = k * (a4 - Y) => d4 = k * (a4 - Y) / (a4 - a4**2)"),
    fault(12, "bracket lost", "output-error-bracket",
          classes="g = run(X, layers) - Y => a = run(X, layers); g = -Y * (1 - a) - (1 - Y) * a", unrolled="d4 = k * (a4 - Y) => d4 = k * (-Y / a4 - (1 - Y) / (1 - a4)) * a4 * (1 - a4)"),
    fault(19, "bias gradient averaged again", "factor-1-over-m", classes="g.mean(axis=1).reshape(-1, 1) => g.mean(axis=1).reshape(-1, 1) / n", unrolled="d1.sum(1, keepdims=True) => d1.mean(1, keepdims=True)"),
    fault(21, "keepdims missing", "keepdims-missing", classes="g.mean(axis=1).reshape(-1, 1) => g.mean(axis=1)", unrolled="d4.sum(1, keepdims=True) => d4.sum(1)"),
    fault(23, "bias gradient zero", "all-zero", classes="g.mean(axis=1).reshape(-1, 1) => np.zeros_like(self.b)", unrolled="d2.sum(1, keepdims=True) => 0 * d2.sum(1, keepdims=True)"),
    fault(18, "bias gradient as one number", "summed-over-all single-number summed-without-axis", classes="g.mean(axis=1).reshape(-1, 1) => np.full((g.shape[0], 1), g.sum() / n)", unrolled="d4.sum(1, keepdims=True) => d4.sum()"),
    fault(22, "bias gradient from the weight gradient", "bias-from-weight-gradient", unrolled="\"db4\": d4.sum(1, keepdims=True) => \"db4\": np.dot(d4, a3.T).sum(1, keepdims=True)"),
    fault(0, "leaky ReLU forward", "another-activation", classes=("np.where(self.on, x, 0) => np.where(self.on, x, 0.01 * x)",), unrolled="return z * (z > 0) => return np.maximum(z, 0.01 * z)"),
    fault(111, "sigmoid at the end forgotten", "activation-missing", classes="return 1 / (1 + np.exp(-x)) => return x", unrolled="a4 = end(z4) => a4 = z4"),
    fault(44, "log10", "logarithm-base", classes="np.log( => np.log10("),
    fault(45, "mean over all entries", "factor-half divided-by-wrong-size factor-1-over-size", classes="np.mean(np.sum( => np.mean(np.mean(", unrolled="/ Y.shape[1] => / Y.size"),
    fault(43, "log of a for both classes", "complement-missing", classes="np.where(Y > 0, AL, 1 - AL) => np.where(Y > 0, AL, AL)", unrolled="np.log1p(-AL) => np.log(AL)"),
]  # fmt: skip
