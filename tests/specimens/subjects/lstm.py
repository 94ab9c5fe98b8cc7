# ruff: noqa: E501 - a patch reads best on one line
"""One step of an LSTM cell and its backward pass; columns are examples."""

import numpy as np
from specimens.rehearsal import match_finding
from specimens.subjects import fault

REFERENCE = """
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def cell_forward(x, a_prev, c_prev, parameters):
    concat = np.concatenate([a_prev, x])
    ft = sigmoid(parameters["Wf"] @ concat + parameters["bf"])
    it = sigmoid(parameters["Wi"] @ concat + parameters["bi"])
    cct = np.tanh(parameters["Wc"] @ concat + parameters["bc"])
    ot = sigmoid(parameters["Wo"] @ concat + parameters["bo"])
    c_next = ft * c_prev + it * cct
    a_next = ot * np.tanh(c_next)
    return a_next, c_next, ft, it, cct, ot

def cell_backward(da_next, dc_next, x, a_prev, c_prev, parameters):
    a_next, c_next, ft, it, cct, ot = cell_forward(x, a_prev, c_prev, parameters)
    concat = np.concatenate([a_prev, x])
    n_a = a_prev.shape[0]
    dc = dc_next + da_next * ot * (1 - np.tanh(c_next) ** 2)
    dot = da_next * np.tanh(c_next) * ot * (1 - ot)
    dcct = dc * it * (1 - cct ** 2)
    dit = dc * cct * it * (1 - it)
    dft = dc * c_prev * ft * (1 - ft)
    dconcat = parameters["Wf"].T @ dft + parameters["Wi"].T @ dit + parameters["Wc"].T @ dcct + parameters["Wo"].T @ dot
    return {
        "dx": dconcat[n_a:], "da_prev": dconcat[:n_a], "dc_prev": dc * ft,
        "dWf": dft @ concat.T, "dWi": dit @ concat.T, "dWc": dcct @ concat.T, "dWo": dot @ concat.T,
        "dbf": np.sum(dft, axis=1, keepdims=True), "dbi": np.sum(dit, axis=1, keepdims=True),
        "dbc": np.sum(dcct, axis=1, keepdims=True), "dbo": np.sum(dot, axis=1, keepdims=True),
    }
"""

GATES = """
import numpy as np

def squash(z):
    return 0.5 + 0.5 * np.tanh(z / 2)

def gates(x, h, p):
    u = np.vstack((h, x))
    out = {k: p["W" + k].dot(u) + p["b" + k] for k in "fico"}
    return u, squash(out["f"]), squash(out["i"]), np.tanh(out["c"]), squash(out["o"])

def cell_forward(x, a_prev, c_prev, parameters):
    u, f, i, g, o = gates(x, a_prev, parameters)
    c = c_prev * f + g * i
    return o * np.tanh(c), c, f, i, g, o

def cell_backward(da_next, dc_next, x, a_prev, c_prev, parameters):
    p = parameters
    u, f, i, g, o = gates(x, a_prev, p)
    t = np.tanh(c_prev * f + g * i)
    total = dc_next + da_next * o * (1 - t * t)
    err = {
        "o": da_next * t * (o - o * o),
        "c": total * i * (1 - g * g),
        "i": total * g * (i - i * i),
        "f": total * c_prev * (f - f * f),
    }
    back = sum(p["W" + k].T.dot(e) for k, e in err.items())
    grads = {"da_prev": back[: len(a_prev)], "dx": back[len(a_prev):], "dc_prev": total * f}
    for k, e in err.items():
        grads["dW" + k] = e.dot(u.T)
        grads["db" + k] = e.sum(axis=1).reshape(-1, 1)
    return grads
"""

STACKED = """
import numpy as np

class Cell:
    def __init__(self, p):
        self.M = np.concatenate([p["W" + k] for k in ("f", "i", "o", "c")])
        self.v = np.concatenate([p["b" + k] for k in ("f", "i", "o", "c")])

    def run(self, x, h, c):
        self.u = np.concatenate((h, x), axis=0)
        self.n, self.c = len(h), c
        z = np.einsum("ij,jk->ik", self.M, self.u) + self.v
        n = self.n
        self.f, self.i, self.o = (1 / (1 + np.exp(-z[k * n:(k + 1) * n])) for k in range(3))
        self.g = np.tanh(z[3 * n:])
        self.new = self.f * c + self.i * self.g
        return self.o * np.tanh(self.new)

    def back(self, dh, dc):
        t = np.tanh(self.new)
        d = dh * self.o * (1 - t ** 2) + dc
        zf = d * self.c * self.f * (1 - self.f)
        zi = d * self.g * self.i * (1 - self.i)
        zo = dh * t * self.o * (1 - self.o)
        zg = d * self.i * (1 - self.g ** 2)
        dz = np.concatenate([zf, zi, zo, zg])
        return dz, d * self.f, np.einsum("ij,ik->jk", self.M, dz)

def cell_forward(x, a_prev, c_prev, parameters):
    cell = Cell(parameters)
    a = cell.run(x, a_prev, c_prev)
    return a, cell.new, cell.f, cell.i, cell.g, cell.o

def cell_backward(da_next, dc_next, x, a_prev, c_prev, parameters):
    cell = Cell(parameters)
    cell.run(x, a_prev, c_prev)
    dz, dc_prev, du = cell.back(da_next, dc_next)
    n = cell.n
    out = {"dc_prev": dc_prev, "da_prev": du[:n], "dx": du[n:]}
    for k, name in enumerate("fioc"):
        part = dz[k * n:(k + 1) * n]
        out["dW" + name], out["db" + name] = part @ cell.u.T, part.sum(1, keepdims=True)
    return out
"""

STYLES = {"gates": GATES, "stacked": STACKED}

rng = np.random.default_rng(31)
P = {f"W{k}": rng.normal(size=(5, 8)) for k in "fico"} | {f"b{k}": rng.normal(size=(5, 1)) for k in "fico"}
x, a0, c0 = rng.normal(size=(3, 7)), rng.normal(size=(5, 7)), rng.normal(size=(5, 7))
DA, DC = rng.normal(size=(5, 7)), rng.normal(size=(5, 7))


def tests(student, reference):
    """The step forward, and the step back."""
    return [
        lambda: match_finding(student.cell_forward, reference.cell_forward, x, a0, c0, P),
        lambda: match_finding(student.cell_backward, reference.cell_backward, DA, DC, x, a0, c0, P),
    ]


FAULTS = [
    fault(31, "only the gradient from the cell above", "term-missing recurrent-gradient-missing",
          gates="total = dc_next + da_next * o * (1 - t * t) => total = dc_next", stacked="d = dh * self.o * (1 - t ** 2) + dc => d = dc"),
    fault(31, "the gradient from the cell above is missing", "term-missing recurrent-gradient-missing",
          gates="total = dc_next + da_next * o => total = da_next * o", stacked="(1 - t ** 2) + dc => (1 - t ** 2)"),
    fault(1, "tanh derivative missing at the candidate", "activation-derivative-missing",
          gates="total * i * (1 - g * g) => total * i", stacked="zg = d * self.i * (1 - self.g ** 2) => zg = d * self.i"),
    fault(1, "sigmoid derivative missing at the output gate", "activation-derivative-missing",
          gates="da_next * t * (o - o * o) => da_next * t", stacked="zo = dh * t * self.o * (1 - self.o) => zo = dh * t"),
    fault(29, "the old cell is forgotten", "recurrent-term-missing term-missing",
          gates="c = c_prev * f + g * i\n => c = g * i\n", stacked="self.new = self.f * c + self.i * self.g => self.new = self.i * self.g"),
    fault(0, "sigmoid at the candidate", "another-activation",
          gates="np.tanh(out[\"c\"]) => squash(out[\"c\"])", stacked="self.g = np.tanh(z[3 * n:]) => self.g = 1 / (1 + np.exp(-z[3 * n:]))"),
    fault(0, "input and forget gates exchanged in the error", "another-variable gradient-of-another-layer factor-missing",
          stacked="zf = d * self.c * self.f * (1 - self.f) => zf = d * self.g * self.f * (1 - self.f)", gates="total * c_prev * (f - f * f) => total * g * (f - f * f)"),
]  # fmt: skip
