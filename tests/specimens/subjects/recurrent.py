# ruff: noqa: E501 - a patch reads best on one line
"""A recurrent cell with tanh, unrolled over time, and its backward pass; x is (n_x, m, T)."""

import numpy as np
from specimens.rehearsal import gradient_finding, match_finding
from specimens.subjects import fault

REFERENCE = """
import numpy as np

def cell_forward(xt, a_prev, parameters):
    return np.tanh(parameters["Waa"] @ a_prev + parameters["Wax"] @ xt + parameters["ba"])

def forward(x, a0, parameters):
    T = x.shape[2]
    a = np.zeros((a0.shape[0], x.shape[1], T))
    a_prev = a0
    for t in range(T):
        a_prev = cell_forward(x[:, :, t], a_prev, parameters)
        a[:, :, t] = a_prev
    return a

def loss(x, a0, parameters, target):
    a = forward(x, a0, parameters)
    return 0.5 * np.sum((a - target) ** 2)

def backward(x, a0, parameters, target):
    Waa, Wax = parameters["Waa"], parameters["Wax"]
    a = forward(x, a0, parameters)
    da = a - target
    dWaa, dWax, dba = np.zeros(Waa.shape), np.zeros(Wax.shape), np.zeros(parameters["ba"].shape)
    da_next = np.zeros(a0.shape)
    for t in reversed(range(x.shape[2])):
        a_prev = a[:, :, t - 1] if t > 0 else a0
        dz = (da[:, :, t] + da_next) * (1 - a[:, :, t] ** 2)
        dWaa += dz @ a_prev.T
        dWax += dz @ x[:, :, t].T
        dba += np.sum(dz, axis=1, keepdims=True)
        da_next = Waa.T @ dz
    return {"dWaa": dWaa, "dWax": dWax, "dba": dba}
"""

LISTS = """
import numpy as np

def states(x, a0, p):
    s = [a0]
    for t in range(x.shape[2]):
        z = np.dot(p["Waa"], s[-1]) + np.dot(p["Wax"], x[..., t]) + p["ba"]
        s.append(np.tanh(z))
    return s

def forward(x, a0, parameters):
    return np.stack(states(x, a0, parameters)[1:], axis=2)

def loss(x, a0, parameters, target):
    total = 0
    for t, s in enumerate(states(x, a0, parameters)[1:]):
        total = total + np.square(s - target[..., t]).sum() / 2
    return total

def backward(x, a0, parameters, target):
    p, s = parameters, states(x, a0, parameters)
    g = dict(Waa=0, Wax=0, ba=0)
    carry = 0
    for t in range(x.shape[2], 0, -1):
        e = (s[t] - target[..., t - 1] + carry) * (1 - s[t] * s[t])
        g["Waa"] = g["Waa"] + np.dot(e, s[t - 1].T)
        g["Wax"] = g["Wax"] + np.dot(e, x[..., t - 1].T)
        g["ba"] = g["ba"] + e.sum(axis=1)[:, None]
        carry = np.dot(p["Waa"].T, e)
    return {"d" + k: v for k, v in g.items()}
"""

STACKED = """
import numpy as np

def step(h, u, M, c):
    return np.tanh(M.dot(np.concatenate([h, u])) + c)

def packed(q):
    return np.hstack([q["Waa"], q["Wax"]]), q["ba"]

def forward(x, a0, parameters):
    M, c = packed(parameters)
    out = np.empty((len(a0), x.shape[1], x.shape[2]))
    h = a0
    for k in range(x.shape[2]):
        h = step(h, x[:, :, k], M, c)
        out[:, :, k] = h
    return out

def loss(x, a0, parameters, target):
    return float(((forward(x, a0, parameters) - target) ** 2).sum()) * 0.5

def backward(x, a0, parameters, target):
    M, c = packed(parameters)
    H = forward(x, a0, parameters)
    G, gc, n = np.zeros_like(M), np.zeros_like(c), len(a0)
    back = np.zeros_like(a0)
    k = x.shape[2] - 1
    while k >= 0:
        before = H[:, :, k - 1] if k else a0
        d = (H[:, :, k] - target[:, :, k]) + back
        d = d - d * H[:, :, k] ** 2
        G += d.dot(np.concatenate([before, x[:, :, k]]).T)
        gc += d.sum(axis=1, keepdims=True)
        back = M[:, :n].T.dot(d)
        k -= 1
    return {"dWaa": G[:, :n], "dWax": G[:, n:], "dba": gc}
"""

STYLES = {"lists": LISTS, "stacked": STACKED}

rng = np.random.default_rng(21)
P = {"Waa": 0.6 * rng.normal(size=(5, 5)), "Wax": rng.normal(size=(5, 3)), "ba": rng.normal(size=(5, 1))}
x = rng.normal(size=(3, 2, 4))
a0 = rng.normal(size=(5, 2))
TARGET = rng.normal(size=(5, 2, 4))


def tests(student, reference):
    """Forward, loss, then the gradients of the student's own loss."""
    return [
        lambda: match_finding(student.forward, reference.forward, x, a0, P),
        lambda: match_finding(student.loss, reference.loss, x, a0, P, TARGET),
        lambda: gradient_finding(
            lambda p: student.loss(x, a0, p, TARGET), lambda p: student.backward(x, a0, p, TARGET), P
        ),
    ]


FAULTS = [
    fault(29, "recurrent gradient dropped", "recurrent-gradient-missing", lists="carry = np.dot(p[\"Waa\"].T, e) => carry = 0", stacked="target[:, :, k]) + back => target[:, :, k])"),
    fault(30, "gradient overwritten over time", "overwritten-not-added", lists="g[\"Wax\"] = g[\"Wax\"] + np.dot => g[\"Wax\"] = np.dot"),
    fault(30, "all gradients overwritten", "overwritten-not-added", lists=("g[\"Wax\"] = g[\"Wax\"] + np.dot => g[\"Wax\"] = np.dot", "g[\"Waa\"] = g[\"Waa\"] + => g[\"Waa\"] =", "g[\"ba\"] = g[\"ba\"] + => g[\"ba\"] ="), stacked=("G += d => G = d", "gc += d => gc = d")),
    fault(32, "time runs forwards", "loop-runs-forwards loop-reversed", lists="range(x.shape[2], 0, -1) => range(1, x.shape[2] + 1)", stacked=("k = x.shape[2] - 1\n    while k >= 0: => k = 0\n    while k < x.shape[2]:", "k -= 1 => k += 1")),
    fault(1, "activation derivative missing", "activation-derivative-missing", lists=" * (1 - s[t] * s[t]) => ", stacked="d = d - d * H[:, :, k] ** 2 => pass"),
    fault(2, "derivative at the activated value", "derivative-at-activated-value", lists="(1 - s[t] * s[t]) => (1 - np.tanh(s[t]) ** 2)", stacked="d = d - d * H[:, :, k] ** 2 => d = d - d * np.tanh(H[:, :, k]) ** 2"),
    fault(3, "derivative of the sigmoid", "derivative-of-another-activation", lists="(1 - s[t] * s[t]) => s[t] * (1 - s[t])", stacked="d = d - d * H[:, :, k] ** 2 => d = d * H[:, :, k] * (1 - H[:, :, k])"),
    fault(29, "previous state forgotten", "recurrent-term-missing", lists="np.dot(p[\"Waa\"], s[-1]) + => ", stacked="np.concatenate([h, u]) => np.concatenate([0 * h, u])"),
    fault(0, "bias forgotten", "bias-missing", lists=" + p[\"ba\"] => ", stacked=" + c) => )"),
    fault(0, "transpose forgotten on the way back", "transpose-missing", lists="carry = np.dot(p[\"Waa\"].T, e) => carry = np.dot(p[\"Waa\"], e)", stacked="M[:, :n].T.dot(d) => M[:, :n].dot(d)"),
    fault(14, "the state itself for the previous one", "index-off-by-one another-variable", lists="s[t - 1].T => s[t].T", stacked="before = H[:, :, k - 1] if k else a0 => before = H[:, :, k]"),
    fault(55, "squared error without 1/2 in the loss", "factor-2", lists=".sum() / 2 => .sum()", stacked=" * 0.5 => "),
    fault(12, "sign of the error", "sign-reversed output-error-reversed subtraction-reversed", stacked="(H[:, :, k] - target[:, :, k]) => (target[:, :, k] - H[:, :, k])", lists="(s[t] - target[..., t - 1] + carry) => (target[..., t - 1] - s[t] + carry)"),
    fault(30, "bias gradient from the last step only", "overwritten-not-added", lists="g[\"ba\"] + e.sum(axis=1) => e.sum(axis=1)", stacked="gc += d => gc = d"),
    fault(0, "sigmoid forward", "another-activation", lists="np.tanh(z) => 1 / (1 + np.exp(-z))", stacked="np.tanh(M.dot(np.concatenate([h, u])) + c) => 1 / (1 + np.exp(-M.dot(np.concatenate([h, u])) - c))"),
]  # fmt: skip
