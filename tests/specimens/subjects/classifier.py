# ruff: noqa: E501 - a patch reads best on one line
"""Rows are examples; ReLU with dropout below a softmax; helpers for each layer; L2 with 1/2."""

import numpy as np
from specimens.rehearsal import gradient_finding, match_finding
from specimens.subjects import fault

REFERENCE = """
import numpy as np

def affine_forward(x, w, b):
    out = x.dot(w) + b
    return out, (x, w)

def affine_backward(dout, cache):
    x, w = cache
    dx = dout.dot(w.T)
    dw = x.T.dot(dout)
    db = dout.sum(axis=0)
    return dx, dw, db

def relu_forward(x):
    return np.maximum(0, x), x

def relu_backward(dout, x):
    dx = dout.copy()
    dx[x <= 0] = 0
    return dx

def softmax_loss(x, y):
    shifted = x - x.max(axis=1, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    n = x.shape[0]
    loss = -log_probs[np.arange(n), y].sum() / n
    dx = np.exp(log_probs)
    dx[np.arange(n), y] -= 1
    dx /= n
    return loss, dx

def run(X, y, mask, theta, reg, keep):
    h, h_cache = affine_forward(X, theta["W1"], theta["b1"])
    a, a_cache = relu_forward(h)
    d = a * mask / keep
    scores, s_cache = affine_forward(d, theta["W2"], theta["b2"])
    loss, dscores = softmax_loss(scores, y)
    loss += 0.5 * reg * (np.sum(theta["W1"] ** 2) + np.sum(theta["W2"] ** 2))
    dd, dW2, db2 = affine_backward(dscores, s_cache)
    da = dd * mask / keep
    dh = relu_backward(da, a_cache)
    dX, dW1, db1 = affine_backward(dh, h_cache)
    dW1 = dW1 + reg * theta["W1"]
    dW2 = dW2 + reg * theta["W2"]
    return loss, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}

def scores(X, theta):
    h, _ = affine_forward(X, theta["W1"], theta["b1"])
    a, _ = relu_forward(h)
    return affine_forward(a, theta["W2"], theta["b2"])[0]
"""

FLAT = """
import numpy as np

def scores(X, theta):
    return np.maximum(X @ theta["W1"] + theta["b1"], 0) @ theta["W2"] + theta["b2"]

def run(X, y, mask, theta, reg, keep):
    W1, b1, W2, b2 = theta["W1"], theta["b1"], theta["W2"], theta["b2"]
    z = np.einsum("nd,dh->nh", X, W1) + b1
    on = (z > 0).astype(float)
    hidden = z * on * mask / keep
    s = np.einsum("nh,hc->nc", hidden, W2) + b2
    e = np.exp(s - s.max(axis=1)[:, None])
    p = e / e.sum(axis=1)[:, None]
    N = len(X)
    total = -np.mean(np.log(p[range(N), y])) + reg / 2 * (np.linalg.norm(W1) ** 2 + np.linalg.norm(W2) ** 2)
    g = (p - np.eye(p.shape[1])[y]) / N
    gW2, gb2 = hidden.T @ g + reg * W2, g.sum(0)
    back = g @ W2.T
    back = back * on * mask / keep
    gW1, gb1 = X.T @ back + reg * W1, back.sum(0)
    return total, {"W1": gW1, "b1": gb1, "W2": gW2, "b2": gb2}
"""

NETWORK = """
import numpy as np

class Net:
    def __init__(self, theta):
        self.p = theta
    def hidden(self, x):
        return np.array([max(v, 0.0) for v in x.dot(self.p["W1"]) + self.p["b1"]])
    def out(self, h):
        return h.dot(self.p["W2"]) + self.p["b2"]

def scores(X, theta):
    net = Net(theta)
    return np.array([net.out(net.hidden(x)) for x in X])

def run(X, y, mask, theta, reg, keep):
    net, count = Net(theta), X.shape[0]
    grads = {k: reg * v if k.startswith("W") else 0 * v for k, v in theta.items()}
    loss = sum(reg * (v * v).sum() / 2 for k, v in theta.items() if k[0] == "W")
    for x, label, keepers in zip(X, y, mask):
        plain = net.hidden(x)
        h = plain * keepers / keep
        o = net.out(h)
        o = o - o.max()
        q = np.exp(o) / np.exp(o).sum()
        loss = loss - np.log(q[label]) / count
        err = q.copy()
        err[label] -= 1.0
        err = err / count
        grads["W2"] = grads["W2"] + np.outer(h, err)
        grads["b2"] = grads["b2"] + err
        below = theta["W2"].dot(err) * keepers / keep
        below[plain == 0] = 0
        grads["W1"] = grads["W1"] + np.outer(x, below)
        grads["b1"] = grads["b1"] + below
    return loss, grads
"""

STYLES = {"flat": FLAT, "objects": NETWORK}

rng = np.random.default_rng(41)
P = {
    "W1": rng.normal(size=(5, 7)),
    "b1": rng.normal(size=7),
    "W2": rng.normal(size=(7, 3)),
    "b2": rng.normal(size=3),
}
X = rng.normal(size=(11, 5))
y = rng.integers(0, 3, size=11)
MASK = (rng.random((11, 7)) < 0.8) * 1.0
REG, KEEP = 0.29, 0.8


def tests(student, reference):
    """Scores, loss, then the gradients of the student's own loss."""
    return [
        lambda: match_finding(student.scores, reference.scores, X, P),
        lambda: match_finding(
            lambda p: student.run(X, y, MASK, p, REG, KEEP)[0],
            lambda p: reference.run(X, y, MASK, p, REG, KEEP)[0],
            P,
        ),
        lambda: gradient_finding(
            lambda p: student.run(X, y, MASK, p, REG, KEEP)[0],
            lambda p: student.run(X, y, MASK, p, REG, KEEP)[1],
            P,
        ),
    ]


FAULTS = [
    fault(1, "ReLU derivative missing", "activation-derivative-missing", flat="back = back * on * mask / keep => back = back * mask / keep", objects="below[plain == 0] = 0 => pass"),
    fault(42, "mask missing in backward", "mask-not-applied", flat="back = back * on * mask / keep => back = back * on / keep", objects=".dot(err) * keepers / keep => .dot(err) / keep"),
    fault(42, "scale missing in backward", "mask-not-rescaled", flat="back = back * on * mask / keep => back = back * on * mask", objects=".dot(err) * keepers / keep => .dot(err) * keepers"),
    fault(101, "dropout not rescaled", "mask-not-rescaled", flat="hidden = z * on * mask / keep => hidden = z * on * mask", objects="h = plain * keepers / keep => h = plain * keepers"),
    fault(8, "1/N missing in the gradient", "factor-m", flat="[y]) / N => [y])", objects="err = err / count => pass"),
    fault(8, "1/N missing in the loss", "factor-m", flat="-np.mean(np.log( => -np.sum(np.log(", objects="np.log(q[label]) / count => np.log(q[label])"),
    fault(36, "target not subtracted", "target-not-subtracted step-left-out", flat="(p - np.eye(p.shape[1])[y]) => p", objects="err[label] -= 1.0 => pass"),
    fault(12, "sign of the error", "output-error-reversed sign-reversed sign-reversed-inside", flat="g = (p - np.eye(p.shape[1])[y]) => g = (np.eye(p.shape[1])[y] - p)", objects="err = err / count => err = -err / count"),
    fault(46, "L2 doubled in the gradient", "weight-term regularisation-factor", flat=("+ reg * W2 => + 2 * reg * W2", "+ reg * W1 => + 2 * reg * W1"), objects="{k: reg * v if => {k: 2 * reg * v if"),
    fault(54, "L2 without 1/2 in the loss", "regularisation-factor doubled-inside constant-factor factor-missing", flat="reg / 2 * (np => reg * (np", objects="(v * v).sum() / 2 => (v * v).sum()"),
    fault(53, "L2 for one layer only", "weight-term regularisation-missing", flat="X.T @ back + reg * W1 => X.T @ back"),
    fault(50, "biases regularised in the gradient", "bias-regularised", flat=("gb2 = hidden.T @ g + reg * W2, g.sum(0) => gb2 = hidden.T @ g + reg * W2, g.sum(0) + reg * b2", "back.sum(0) => back.sum(0) + reg * b1"), objects="if k.startswith(\"W\") else 0 * v => if k else 0 * v"),
    fault(19, "bias gradient averaged", "factor-1-over-m", flat="back.sum(0) => back.mean(0)", objects="grads[\"b1\"] + below => grads[\"b1\"] + below / count"),
    fault(51, "biases in the penalty", "bias-in-penalty", objects="for k, v in theta.items() if k[0] == \"W\" => for k, v in theta.items()"),
    fault(0, "bias forgotten", "bias-missing", flat="\"nh,hc->nc\", hidden, W2) + b2 => \"nh,hc->nc\", hidden, W2)", objects="return h.dot(self.p[\"W2\"]) + self.p[\"b2\"] => return h.dot(self.p[\"W2\"])"),
    fault(0, "leaky ReLU forward", "another-activation", flat="return np.maximum(X @ theta[\"W1\"] + theta[\"b1\"], 0) => z = X @ theta['W1'] + theta['b1']; return np.where(z > 0, z, 0.01 * z)", objects="max(v, 0.0) => max(v, 0.01 * v)"),
    fault(57, "softmax over all examples", "softmax-axis softmax-over-everything summed-without-axis summed-over-other-axis", flat="e.sum(axis=1)[:, None] => e.sum()"),
    fault(44, "log2", "logarithm-base", flat="np.log(p => np.log2(p", objects="np.log(q => np.log2(q"),
    fault(6, "gradient for the outgoing weights", "gradient-for-parameter located-error", flat="back = g @ W2.T => back = g @ gW2.T"),
    fault(0, "error not passed through the outgoing weights' transpose", "located-error", objects="theta[\"W2\"].dot(err) * => theta[\"W2\"].sum(axis=1) *"),
    fault(0, "mask of the wrong sign", "comparison-reversed", flat="back = back * on * => back = back * (z <= 0) *", objects="below[plain == 0] = 0 => below[plain > 0] = 0"),
    fault(0, "only the last example counts", "only-last-example overwritten-not-added", objects=("grads[\"W1\"] = grads[\"W1\"] + np.outer => grads[\"W1\"] = reg * theta['W1'] + np.outer", "grads[\"b1\"] = grads[\"b1\"] + below => grads[\"b1\"] = below")),
]  # fmt: skip
