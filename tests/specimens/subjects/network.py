# ruff: noqa: E501 - a patch reads best on one line
"""Two layers, tanh and sigmoid, cross-entropy with L2; one column per example."""

import numpy as np
from specimens.rehearsal import gradient_finding, match_finding
from specimens.subjects import fault

REFERENCE = """
import numpy as np

def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))

def forward(X, parameters):
    Z1 = parameters["W1"] @ X + parameters["b1"]
    A1 = np.tanh(Z1)
    Z2 = parameters["W2"] @ A1 + parameters["b2"]
    A2 = sigmoid(Z2)
    return A2, {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}

def cost(A2, Y, parameters, lambd):
    m = Y.shape[1]
    data = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    squares = np.sum(np.square(parameters["W1"])) + np.sum(np.square(parameters["W2"]))
    return data + lambd * squares / (2 * m)

def backward(X, Y, parameters, lambd):
    m = X.shape[1]
    A2, cache = forward(X, parameters)
    A1 = cache["A1"]
    W1, W2 = parameters["W1"], parameters["W2"]
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m + lambd * W2 / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dA1 = W2.T @ dZ2
    dZ1 = dA1 * (1 - A1**2)
    dW1 = dZ1 @ X.T / m + lambd * W1 / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
"""

LOOPS = """
import numpy as np

def hidden(x, p):
    s = p["W1"].dot(x) + p["b1"]
    return s, np.tanh(s)

def out(h, p):
    return 1.0 / (1.0 + np.exp(-(p["W2"].dot(h) + p["b2"])))

def forward(X, parameters):
    columns = [out(hidden(X[:, [i]], parameters)[1], parameters) for i in range(X.shape[1])]
    return np.hstack(columns), "nothing kept"

def cost(A2, Y, parameters, lambd):
    examples = Y.shape[1]
    J = 0.0
    for i in range(examples):
        for k in range(Y.shape[0]):
            a, y = A2[k, i], Y[k, i]
            J = J - (y * np.log(a) + (1 - y) * np.log(1 - a))
    J = J / examples
    for name in ("W1", "W2"):
        J = J + 0.5 * lambd / examples * np.linalg.norm(parameters[name]) ** 2
    return J

def backward(X, Y, parameters, lambd):
    n = X.shape[1]
    g = {key: np.zeros_like(value) for key, value in parameters.items()}
    for i in range(n):
        x, y = X[:, [i]], Y[:, [i]]
        s, h = hidden(x, parameters)
        o = out(h, parameters)
        e2 = o - y
        g["W2"] = g["W2"] + e2.dot(h.T)
        g["b2"] = g["b2"] + e2
        e1 = np.multiply(parameters["W2"].T.dot(e2), 1 - np.square(h))
        g["W1"] = g["W1"] + e1.dot(x.T)
        g["b1"] = g["b1"] + e1
    for key in g:
        g[key] = g[key] / n
    for key in ("W1", "W2"):
        g[key] = g[key] + (lambd / n) * parameters[key]
    return {"d" + key: value for key, value in g.items()}
"""

HELPERS = """
import numpy as np

def affine(weights, bias, below):
    return np.einsum("ij,jk->ik", weights, below) + bias

def squash(u):
    return 0.5 * (np.tanh(0.5 * u) + 1)

def mean_over_examples(M, count):
    return M * (1 / count)

def net(X, theta):
    u = affine(theta["W1"], theta["b1"], X)
    v = np.tanh(u)
    w = squash(affine(theta["W2"], theta["b2"], v))
    return u, v, w

def forward(X, parameters):
    return net(X, parameters)[-1], None

def penalty(theta, strength, count):
    return strength / 2 / count * ((theta["W1"] ** 2).sum() + (theta["W2"] ** 2).sum())

def cost(A2, Y, parameters, lambd):
    chance = np.where(Y == 1, A2, 1 - A2)
    total = np.log(chance).sum()
    return -total / Y.shape[1] + penalty(parameters, lambd, Y.shape[1])

def layer_gradients(error, below, weights, strength):
    count = below.shape[1]
    dW = mean_over_examples(np.einsum("ik,jk->ij", error, below), count)
    db = mean_over_examples(error.sum(axis=1)[:, None], count)
    return dW + strength / count * weights, db

def slope(u, v):
    return 1 / np.cosh(u) ** 2

def backward(X, Y, parameters, lambd):
    u, v, w = net(X, parameters)
    top = w - Y
    dW2, db2 = layer_gradients(top, v, parameters["W2"], lambd)
    low = np.einsum("ij,ik->jk", parameters["W2"], top) * slope(u, v)
    dW1, db1 = layer_gradients(low, X, parameters["W1"], lambd)
    return dict(dW1=dW1, db1=db1, dW2=dW2, db2=db2)
"""

STYLES = {"loops": LOOPS, "helpers": HELPERS}

rng = np.random.default_rng(11)
P = {
    "W1": rng.normal(size=(5, 3)),
    "b1": rng.normal(size=(5, 1)),
    "W2": rng.normal(size=(2, 5)),
    "b2": rng.normal(size=(2, 1)),
}
X = rng.normal(size=(3, 7))
Y = (rng.random((2, 7)) > 0.5) * 1.0
A = rng.uniform(0.1, 0.9, size=(2, 7))
LAMBDA = 0.83


def tests(student, reference):
    """Forward, cost, then the gradients of the student's own cost."""

    def own(p):
        return student.cost(student.forward(X, p)[0], Y, p, LAMBDA)

    return [
        lambda: match_finding(
            lambda x, p: student.forward(x, p)[0], lambda x, p: reference.forward(x, p)[0], X, P
        ),
        lambda: match_finding(student.cost, reference.cost, A, Y, P, LAMBDA),
        lambda: gradient_finding(own, lambda p: student.backward(X, Y, p, LAMBDA), P),
    ]


FAULTS = [
    fault(1, "activation derivative missing", "activation-derivative-missing",
          loops="e1 = np.multiply(parameters[\"W2\"].T.dot(e2), 1 - np.square(h)) => e1 = parameters[\"W2\"].T.dot(e2)",
          helpers="top) * slope(u, v) => top)"),
    fault(2, "derivative at the activated value", "derivative-at-activated-value",
          loops="1 - np.square(h)) => 1 - np.tanh(h) ** 2)", helpers="* slope(u, v) => * slope(v, v)"),
    fault(3, "derivative of the sigmoid for tanh", "derivative-of-another-activation",
          loops="1 - np.square(h)) => h - h * h)", helpers="return 1 / np.cosh(u) ** 2 => return v * (1 - v)"),
    fault(3, "derivative of ReLU for tanh", "derivative-of-another-activation",
          loops="1 - np.square(h)) => np.where(s > 0, 1, 0))",
          helpers="return 1 / np.cosh(u) ** 2 => return (u > 0).astype(float)"),
    fault(5, "z for the derivative", "preactivation-for-derivative",
          loops="1 - np.square(h)) => s)", helpers="return 1 / np.cosh(u) ** 2 => return u"),
    fault(6, "dW2 for W2", "gradient-for-parameter",
          helpers="np.einsum(\"ij,ik->jk\", parameters[\"W2\"], top) => np.einsum(\"ij,ik->jk\", dW2, top)"),
    fault(7, "1/m twice below", "factor-1-over-m",
          loops="parameters[\"W2\"].T.dot(e2), => parameters[\"W2\"].T.dot(e2) / n,",
          helpers="* slope(u, v) => * slope(u, v) / X.shape[1]"),
    fault(8, "1/m never", "factor-m",
          loops="g[key] = g[key] / n => pass", helpers="return M * (1 / count) => return M"),
    fault(10, "sigmoid derivative extra", "output-derivative-extra",
          loops="e2 = o - y => e2 = (o - y) * o * (1 - o)", helpers="top = w - Y => top = (w - Y) * (w - w * w)"),
    fault(12, "bracket lost", "output-error-bracket",
          loops="e2 = o - y => e2 = (-y / o - (1 - y) / (1 - o)) * o * (1 - o)",
          helpers="top = w - Y => top = -(Y / w + (1 - Y) / (1 - w)) * w * (1 - w)"),
    fault(12, "sign of the error", "output-error-reversed sign-reversed",
          loops="e2 = o - y => e2 = y - o", helpers="top = w - Y => top = Y - w"),
    fault(18, "bias gradient as one sum for all", "summed-over-all",
          loops="g[\"b1\"] = g[\"b1\"] + e1 => g[\"b1\"] = g[\"b1\"] + np.sum(e1)",
          helpers="error.sum(axis=1)[:, None] => np.full((len(error), 1), error.sum())"),
    fault(19, "bias gradient averaged again", "factor-1-over-m",
          loops="g[\"b1\"] = g[\"b1\"] + e1 => g[\"b1\"] = g[\"b1\"] + e1 / n",
          helpers="error.sum(axis=1)[:, None] => error.mean(axis=1)[:, None]"),
    fault(20, "bias gradient along the wrong axis", "summed-over-other-axis",
          helpers="error.sum(axis=1)[:, None] => error.sum(axis=0)[:, None]"),
    fault(21, "keepdims missing", "keepdims-missing", helpers="error.sum(axis=1)[:, None] => error.sum(axis=1)"),
    fault(22, "bias gradient from the weight gradient", "bias-from-weight-gradient",
          loops="g[key] = g[key] + (lambd / n) * parameters[key] => g[key] = g[key] + (lambd / n) * parameters[key]; g['b1'] = g['W1'].sum(axis=1).reshape(-1, 1)",
          helpers="return dict(dW1=dW1, db1=db1, => return dict(dW1=dW1, db1=dW1.sum(axis=1, keepdims=True),"),
    fault(23, "bias gradient zero", "all-zero",
          loops="g[\"b1\"] = g[\"b1\"] + e1 => pass", helpers="db1=db1 => db1=0 * db1"),
    fault(23, "bias gradient ones", "constant-gradient",
          loops="return {\"d\" => g[\"b1\"] = np.ones((5, 1)); return {\"d\"", helpers="db1=db1 => db1=np.ones_like(db1)"),
    fault(43, "log of a for both classes", "complement-missing",
          loops="(1 - y) * np.log(1 - a) => (1 - y) * np.log(a)", helpers="np.where(Y == 1, A2, 1 - A2) => np.where(Y == 1, A2, A2)"),
    fault(44, "log10", "logarithm-base",
          loops="np.log( => np.log10(", helpers="np.log(chance) => np.log10(chance)"),
    fault(45, "m from the wrong axis in the cost", "divided-by-wrong-size",
          loops=("J = J / examples => J = J / len(Y)", "lambd / examples => lambd / len(Y)"), helpers="Y.shape[1] => Y.shape[0]"),
    fault(46, "L2 twice in the gradient", "weight-term regularisation-factor",
          loops="(lambd / n) * parameters[key] => (2 * lambd / n) * parameters[key]",
          helpers="strength / count * weights => 2 * strength / count * weights"),
    fault(47, "L2 without its strength in the gradient", "weight-term regularisation-strength-missing",
          loops="(lambd / n) * parameters[key] => parameters[key] / n", helpers="strength / count * weights => weights / count"),
    fault(48, "L2 gradient as one number", "weight-term-summed",
          loops="(lambd / n) * parameters[key] => (lambd / n) * np.sum(parameters[key])",
          helpers="strength / count * weights => strength / count * weights.sum()"),
    fault(49, "L2 missing in the gradient", "weight-term regularisation-missing",
          loops="g[key] = g[key] + (lambd / n) * parameters[key] => pass", helpers="dW + strength / count * weights => dW"),
    fault(50, "biases regularised in the gradient only", "bias-regularised",
          loops="for key in (\"W1\", \"W2\"):\n        g[key] => for key in parameters:\n        g[key]",
          helpers="return dict(dW1=dW1, db1=db1, dW2=dW2, db2=db2) => b = lambd / X.shape[1]; return dict(dW1=dW1, db1=db1 + b * parameters['b1'], dW2=dW2, db2=db2 + b * parameters['b2'])"),
    fault(53, "one layer without L2", "weight-term regularisation-missing",
          loops="for key in (\"W1\", \"W2\"):\n        g[key] => for key in (\"W1\",):\n        g[key]",
          helpers="v, parameters[\"W2\"], lambd) => v, parameters[\"W2\"], 0)"),
    fault(55, "squared error with 1/2", "squared-error-for-cross-entropy",
          helpers="return -total / Y.shape[1] + => return ((A2 - Y) ** 2).sum() / 2 / Y.shape[1] +"),
    fault(58, "cost as an array", "number-as-array", loops="return J => return np.array([[J]])", helpers="return -total / Y.shape[1] + penalty(parameters, lambd, Y.shape[1]) => return np.reshape(-total / Y.shape[1] + penalty(parameters, lambd, Y.shape[1]), (1, 1))"),
    fault(0, "ReLU forward", "another-activation", loops="np.tanh(s) => np.maximum(0, s)", helpers="v = np.tanh(u) => v = u * (u > 0)"),
    fault(0, "bias forgotten", "bias-missing", loops="p[\"W1\"].dot(x) + p[\"b1\"] => p[\"W1\"].dot(x)", helpers="affine(theta[\"W1\"], theta[\"b1\"], X) => affine(theta[\"W1\"], 0, X)"),
    fault(111, "sigmoid forgotten", "activation-missing", loops="return 1.0 / (1.0 + np.exp(-(p[\"W2\"].dot(h) + p[\"b2\"]))) => return p[\"W2\"].dot(h) + p[\"b2\"]", helpers="w = squash(affine(theta[\"W2\"], theta[\"b2\"], v)) => w = affine(theta[\"W2\"], theta[\"b2\"], v)"),
]  # fmt: skip
