# ruff: noqa: E501 - a patch reads best on one line
"""Softmax regression, one row per example, labels as class numbers, with L2."""

import numpy as np
from specimens.rehearsal import gradient_finding, match_finding
from specimens.subjects import fault

REFERENCE = """
import numpy as np

def probabilities(X, W, b):
    scores = X @ W + b
    scores = scores - np.max(scores, axis=1, keepdims=True)
    e = np.exp(scores)
    return e / np.sum(e, axis=1, keepdims=True)

def loss(X, y, W, b, reg):
    N = X.shape[0]
    P = probabilities(X, W, b)
    data = -np.sum(np.log(P[np.arange(N), y])) / N
    return data + reg * np.sum(W * W)

def gradients(X, y, W, b, reg):
    N = X.shape[0]
    P = probabilities(X, W, b)
    Y = np.zeros(P.shape)
    Y[np.arange(N), y] = 1.0
    dscores = (P - Y) / N
    dW = X.T @ dscores + 2 * reg * W
    db = np.sum(dscores, axis=0)
    return {"dW": dW, "db": db}
"""

NAIVE = """
import numpy as np

def probabilities(X, W, b):
    rows = []
    for x in X:
        s = x.dot(W) + b
        s = np.exp(s - s.max())
        rows.append(s / s.sum())
    return np.array(rows)

def loss(X, y, W, b, reg):
    total = 0.0
    for p, k in zip(probabilities(X, W, b), y):
        total += -np.log(p[k])
    return total / len(X) + reg * np.sum(W ** 2)

def gradients(X, y, W, b, reg):
    n, classes = len(X), W.shape[1]
    gW, gb = np.zeros_like(W), np.zeros_like(b)
    p = probabilities(X, W, b)
    for i in range(n):
        for j in range(classes):
            delta = p[i, j] - (1.0 if j == y[i] else 0.0)
            gW[:, j] += delta * X[i]
            gb[j] += delta
    gW = gW / n
    gb = gb / n
    gW = gW + 2 * reg * W
    return {"dW": gW, "db": gb}
"""

LOGSPACE = """
import numpy as np

def log_probabilities(X, W, b):
    s = np.einsum("nd,dc->nc", X, W) + b
    top = s.max(axis=1)[:, None]
    return s - top - np.log(np.exp(s - top).sum(axis=1))[:, None]

def probabilities(X, W, b):
    return np.exp(log_probabilities(X, W, b))

def loss(X, y, W, b, reg):
    chosen = np.take_along_axis(log_probabilities(X, W, b), y[:, None], axis=1)
    return -chosen.mean() + reg * np.linalg.norm(W) ** 2

def gradients(X, y, W, b, reg):
    error = probabilities(X, W, b)
    error[range(len(y)), y] -= 1
    error /= len(y)
    return {"dW": np.einsum("nd,nc->dc", X, error) + reg * (W + W), "db": error.sum(0)}
"""

STYLES = {"naive": NAIVE, "logspace": LOGSPACE}

rng = np.random.default_rng(8)
X = rng.normal(size=(7, 4))
y = rng.integers(0, 3, size=7)
P = {"W": rng.normal(size=(4, 3)), "b": rng.normal(size=3)}
REG = 0.37


def tests(student, reference):
    """Probabilities, loss, then the gradients of the student's own loss."""
    return [
        lambda: match_finding(student.probabilities, reference.probabilities, X, P["W"], P["b"]),
        lambda: match_finding(student.loss, reference.loss, X, y, P["W"], P["b"], REG),
        lambda: gradient_finding(
            lambda p: student.loss(X, y, p["W"], p["b"], REG),
            lambda p: student.gradients(X, y, p["W"], p["b"], REG),
            P,
        ),
    ]


FAULTS = [
    fault(8, "1/N never", "factor-m", naive=("gW = gW / n => pass", "gb = gb / n => pass"), logspace="error /= len(y) => pass"),
    fault(36, "only the true class", "only-true-class", naive="delta = p[i, j] - (1.0 if j == y[i] else 0.0) => delta = (p[i, j] - 1.0) * (j == y[i])", logspace="error /= len(y) => error *= np.eye(3)[y]; error /= len(y)"),
    fault(36, "target not subtracted", "target-not-subtracted term-missing", naive="p[i, j] - (1.0 if j == y[i] else 0.0) => p[i, j]", logspace="error[range(len(y)), y] -= 1 => pass"),
    fault(12, "sign", "sign-reversed output-error-reversed", naive="p[i, j] - (1.0 if j == y[i] else 0.0) => (1.0 if j == y[i] else 0.0) - p[i, j]", logspace="error /= len(y) => error = -error / len(y)"),
    fault(10, "derivative extra", "output-derivative-extra", naive="p[i, j] - (1.0 if j == y[i] else 0.0) => (p[i, j] - (j == y[i])) * p[i, j] * (1 - p[i, j])", logspace="error[range(len(y)), y] -= 1 => q = error.copy(); error[range(len(y)), y] -= 1; error = error * q * (1 - q)"),
    fault(46, "L2 without the 2", "weight-term regularisation-factor", naive="gW + 2 * reg * W => gW + reg * W", logspace="reg * (W + W) => reg * W"),
    fault(47, "L2 without reg", "weight-term regularisation-strength-missing", naive="gW + 2 * reg * W => gW + 2 * W", logspace="reg * (W + W) => W + W"),
    fault(49, "L2 missing", "weight-term regularisation-missing", naive="gW = gW + 2 * reg * W => pass", logspace=" + reg * (W + W) => "),
    fault(50, "bias regularised in the gradient", "bias-regularised", naive="gb = gb / n => gb = gb / n + 2 * reg * b", logspace="error.sum(0) => error.sum(0) + 2 * reg * b"),
    fault(51, "bias regularised in the loss", "bias-in-penalty", logspace="np.linalg.norm(W) ** 2 => (np.linalg.norm(W) ** 2 + np.sum(b * b))", naive="np.sum(W ** 2) => (np.sum(W ** 2) + np.sum(b ** 2))"),
    fault(56, "softmax over the wrong axis", "softmax-axis", logspace=("s.max(axis=1)[:, None] => s.max(axis=0)", "np.log(np.exp(s - top).sum(axis=1))[:, None] => np.log(np.exp(s - top).sum(axis=0))")),
    fault(57, "softmax over everything", "softmax-over-everything summed-without-axis", logspace=("np.log(np.exp(s - top).sum(axis=1))[:, None] => np.log(np.exp(s - top).sum())", "s.max(axis=1)[:, None] => s.max()")),
    fault(44, "log2", "logarithm-base", naive="np.log(p[k]) => np.log2(p[k])"),
    fault(45, "divided by the number of features", "divided-by-wrong-size another-variable index-off-by-one", naive="total / len(X) => total / X.shape[1]", logspace="-chosen.mean() => -chosen.sum() / X.shape[1]"),
    fault(8, "loss summed", "factor-m", naive="total / len(X) => total", logspace="-chosen.mean() => -chosen.sum()"),
    fault(19, "bias gradient averaged", "factor-1-over-m", naive="gb = gb / n => gb = gb / n / n", logspace="error.sum(0) => error.mean(0)"),
    # These sums are zero, and it depends on numpy whether to the last digit.
    fault(18, "bias gradient as one sum for all", "summed-over-all all-zero", naive="gb[j] += delta => gb += delta"),
    fault(49, "L2 missing in the loss", "regularisation-missing loss-related loss-differs", naive=" + reg * np.sum(W ** 2) => ", logspace=" + reg * np.linalg.norm(W) ** 2 => "),
    fault(54, "L2 with 1/2 in the loss", "halved-inside regularisation-factor", naive="reg * np.sum(W ** 2) => 0.5 * reg * np.sum(W ** 2)", logspace="reg * np.linalg.norm(W) ** 2 => reg / 2 * np.linalg.norm(W) ** 2"),
    fault(0, "bias forgotten", "bias-missing", naive="x.dot(W) + b => x.dot(W)", logspace="X, W) + b => X, W)"),
    fault(0, "only the first example", "only-first-example", naive="for i in range(n): => for i in range(1):"),
]  # fmt: skip
