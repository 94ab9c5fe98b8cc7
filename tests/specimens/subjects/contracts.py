# ruff: noqa: E501 - a patch reads best on one line
"""What a gradient owes its caller, and an update: keys, shapes, repeatable answers, arguments left alone."""

from specimens.rehearsal import noted, told
from specimens.subjects import fault, network
from specimens.subjects.network import LAMBDA, A, P, X, Y

from pytest_symmetry import check_gradients, check_matches, check_purity

REFERENCE = f"""{network.REFERENCE}
def update(parameters, gradients, rate):
    return {{name: parameters[name] - rate * gradients["d" + name] for name in parameters}}
"""

LEDGER = """
import numpy as np

TOTALS = {}

def collect(ledger, name, amount):
    ledger[name] = ledger.get(name, 0) + amount

def rise(h):
    return 1 - h * h

def values(X, parameters):
    h = np.tanh(np.add(parameters["W1"] @ X, parameters["b1"]))
    a = 1 / (1 + np.exp(-np.add(parameters["W2"] @ h, parameters["b2"])))
    return h, a

def forward(X, parameters):
    h, a = values(X, parameters)
    return a, (h, a)

def cost(A2, Y, parameters, lambd):
    m = Y.shape[1]
    weights = ["W1", "W2"]
    squares = sum(np.sum(parameters[name] ** 2) for name in weights)
    return -np.sum(Y * np.log(A2)) / m - np.sum((1 - Y) * np.log(1 - A2)) / m + lambd / (2 * m) * squares

def backward(X, Y, parameters, lambd):
    cache = values(X, parameters)
    h, a = cache
    m = X.shape[1]
    ledger = {}
    for name in ["W1", "W2"]:
        collect(ledger, name, lambd / m * parameters[name])
    collect(ledger, "error", -Y / a / m)
    collect(ledger, "error", (1 - Y) / (1 - a) / m)
    e2 = ledger["error"] * a * (1 - a)
    e1 = (parameters["W2"].T @ e2) * rise(h)
    for layer, error, below in (("1", e1, X), ("2", e2, h)):
        collect(ledger, "W" + layer, error @ below.T)
        collect(ledger, "b" + layer, np.sum(error, axis=1, keepdims=True))
    return {"d" + name: ledger[name] for name in parameters}

def update(parameters, gradients, rate):
    after = {}
    for name, value in parameters.items():
        after[name] = value - rate * gradients["d" + name]
    return after
"""

ENGINE = """
import numpy as np

class Value:
    def __init__(self, data, rule=None):
        self.data, self.rule, self.grad = data, rule, 0.0

    def take(self, slope):
        self.grad = self.grad + slope

def affine(W, x, b):
    def rule(s):
        W.take(s @ x.data.T)
        b.take(s.sum(axis=1, keepdims=True))
        x.take(W.data.T @ s)
    return Value(W.data @ x.data + b.data, rule)

def tanh(x):
    t = np.tanh(x.data)
    return Value(t, lambda s: x.take(s * (1 - t ** 2)))

def sigmoid(x):
    t = 0.5 * (1 + np.tanh(x.data / 2))
    return Value(t, lambda s: x.take(s * t * (1 - t)))

def log_likelihood(a, Y):
    def of_ones(s):
        a.take(s * Y / a.data)
    def of_zeros(s):
        a.take(-s * (1 - Y) / (1 - a.data))
    return [Value(np.sum(Y * np.log(a.data)), of_ones), Value(np.sum((1 - Y) * np.log(1 - a.data)), of_zeros)]

def energy(W):
    return Value(np.vdot(W.data, W.data), lambda s: W.take(2 * s * W.data))

def leaves(parameters):
    return {name: Value(array) for name, array in parameters.items()}

def net(X, p):
    line = [affine(p["W1"], Value(X), p["b1"])]
    line.append(tanh(line[-1]))
    line.append(affine(p["W2"], line[-1], p["b2"]))
    line.append(sigmoid(line[-1]))
    return line

def forward(X, parameters):
    line = net(X, leaves(parameters))
    return line[-1].data, line

DECAYING = ("W1", "W2")

def cost(A2, Y, parameters, lambd):
    m = Y.shape[1]
    likely = sum(term.data for term in log_likelihood(Value(A2), Y))
    return -likely / m + sum(energy(Value(parameters[k])).data for k in DECAYING) * lambd / 2 / m

def backward(X, Y, parameters, lambd):
    m = X.shape[1]
    p = leaves(parameters)
    line = net(X, p)
    for k in DECAYING:
        energy(p[k]).rule(lambd / 2 / m)
    for term in log_likelihood(line[-1], Y):
        term.rule(-1 / m)
    for node in reversed(line):
        node.rule(node.grad)
    result = {"d" + k: value.grad for k, value in p.items()}
    return result

def update(parameters, gradients, rate):
    moved = {k: v.copy() for k, v in parameters.items()}
    for k in moved:
        moved[k] -= rate * gradients["d" + k]
    return moved
"""

STYLES = {"ledger": LEDGER, "engine": ENGINE}


def tests(student, reference):
    """Forward and cost, the gradients with all that they owe, then the update."""
    slopes = {f"d{name}": array[::-1] ** 2 for name, array in P.items()}

    def own(p):
        return student.cost(student.forward(X, p)[0], Y, p, LAMBDA)

    def first(forward):
        return lambda x, p: forward(x, p)[0]

    return [
        lambda: told(check_matches, first(student.forward), first(reference.forward), X, P),
        lambda: told(check_matches, student.cost, reference.cost, A, Y, P, LAMBDA),
        lambda: told(check_gradients, own, lambda p: student.backward(X, Y, p, LAMBDA), P),
        lambda: told(check_purity, student.update, P, slopes, 0.3),
        lambda: noted(("MAT201",), check_matches, student.update, reference.update, P, slopes, 0.3),
    ]


FAULTS = (
    fault(4, "a matrix product for an elementwise one", "", ledger="(parameters[\"W2\"].T @ e2) * rise(h) => (parameters[\"W2\"].T @ e2) @ rise(h)", engine="x.take(s * (1 - t ** 2)) => x.take(s.dot(1 - t ** 2))"),
    fault(4, "a matrix product that fits", "matrix-product-for-elementwise located-error", ledger="(parameters[\"W2\"].T @ e2) * rise(h) => (parameters[\"W2\"].T @ e2) @ (rise(h).T @ rise(h))", engine="x.take(s * (1 - t ** 2)) => x.take(s @ (1 - t ** 2).T @ (1 - t ** 2))"),
    fault(11, "the weight in the place of its input", "another-variable located-weight-gradient", ledger="collect(ledger, \"W\" + layer, error @ below.T) => collect(ledger, \"W\" + layer, error.sum(axis=1, keepdims=True) * parameters[\"W\" + layer])", engine="W.take(s @ x.data.T) => W.take(s.mean() * W.data * len(s))"),
    fault(13, "the error of the output for every layer", "", ledger="e1 = (parameters[\"W2\"].T @ e2) * rise(h) => e1 = e2", engine="x.take(W.data.T @ s) => x.take(s)"),
    fault(16, "the whole cache in the place of an array", "", ledger="* rise(h) => * rise(cache)", engine="sigmoid(x):\n    t = 0.5 * (1 + np.tanh(x.data / 2)) => sigmoid(x):\n    t = 0.5 * (1 + np.tanh(x / 2))"),
    fault(17, "keys of the layer below", "keys-off-by-one", ledger="{\"d\" + name: ledger[name] for name in parameters} => {f\"d{name[0]}{int(name[1]) - 1}\": ledger[name] for name in parameters}", engine="{\"d\" + k: value.grad for k, value in p.items()} => {\"d\" + k[0] + str(int(k[1:]) - 1): value.grad for k, value in p.items()}"),
    fault(17, "keys of the layer above", "keys-off-by-one", ledger="{\"d\" + name: ledger[name] for name in parameters} => {f\"d{name[0]}{int(name[1]) + 1}\": ledger[name] for name in parameters}", engine="{\"d\" + k: value.grad for k, value in p.items()} => {\"d\" + k[0] + str(int(k[1:]) + 1): value.grad for k, value in p.items()}"),
    fault(28, "sums that start anywhere", "", ledger="ledger.get(name, 0) + amount => ledger.get(name, np.random.randn()) + amount", engine="self.grad = data, rule, 0.0 => self.grad = data, rule, np.random.standard_normal()"),
    fault(39, "gradients that are never reset", "accumulates", ledger="ledger = {} => ledger = TOTALS; ledger.pop('error', None)", engine=("DECAYING = (\"W1\", \"W2\") => DECAYING, KEPT = (\"W1\", \"W2\"), {}", "return result => for k, v in result.items():\n        KEPT[k] = KEPT.get(k, 0) + v\n    return dict(KEPT)")),
    fault(40, "a value used twice keeps the last slope", "overwritten-not-added only-true-class only-other-classes", ledger="ledger.get(name, 0) + amount => amount", engine="self.grad = self.grad + slope => self.grad = slope"),
    fault(52, "biases decay, in loss and gradient", "bias-in-penalty", ledger="[\"W1\", \"W2\"] => [\"W1\", \"W2\", \"b1\", \"b2\"]", engine="DECAYING = (\"W1\", \"W2\") => DECAYING = (\"W1\", \"W2\", \"b1\", \"b2\")"),
    fault(82, "parameters moved in place", "", ledger="after[name] = value - rate * gradients[\"d\" + name] => value -= rate * gradients[\"d\" + name]\n        after[name] = value", engine="{k: v.copy() for k, v in parameters.items()} => dict(parameters)"),
    fault(90, "nothing returned", "", ledger="return after => pass", engine="return moved => pass"),
    fault(90, "the old values returned", "step-not-taken left-unchanged", ledger="return after => return parameters", engine="return moved => return parameters"),
    fault(109, "a comma at the end", "keepdims-extra", ledger="{\"d\" + name: ledger[name] => {\"d\" + name: (ledger[name],)", engine="value.grad for k, value => (value.grad,) for k, value"),
    fault(112, "the gradient as a tuple of arguments", "is-the-parameter", ledger="return {\"d\" + name: ledger[name] for name in parameters} => return X, Y, parameters, lambd", engine="return result => return (parameters, line, lambd)"),
)  # fmt: skip
