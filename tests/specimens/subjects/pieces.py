# ruff: noqa: E501 - a patch reads best on one line
"""Small functions around a network: losses, layers, dropout, mini-batches, settings."""

import numpy as np
from specimens.rehearsal import noted, told
from specimens.subjects import fault

from pytest_symmetry import check_gradients, check_matches, check_purity

REFERENCE = """
import numpy as np

def cross_entropy(scores, y):
    shifted = scores - np.max(scores, axis=1, keepdims=True)
    P = np.exp(shifted) / np.sum(np.exp(shifted), axis=1, keepdims=True)
    n = len(y)
    loss = np.mean(np.log(np.sum(np.exp(shifted), axis=1)) - shifted[np.arange(n), y])
    dscores = P.copy()
    dscores[np.arange(n), y] -= 1
    return loss, dscores / n

def logistic_cost(A, Y):
    m = Y.shape[1]
    kept = np.clip(A, 1e-12, 1 - 1e-12)
    return -np.sum(Y * np.log(kept) + (1 - Y) * np.log(1 - kept)) / m

def hinge(X, W, y):
    n = len(y)
    scores = X @ W
    distance = scores - scores[np.arange(n), y][:, np.newaxis] + 1
    margins = np.maximum(0, distance)
    margins[np.arange(n), y] = 0
    wrong = (distance > 0) * 1.0
    wrong[np.arange(n), y] = 0
    wrong[np.arange(n), y] = -np.sum(wrong, axis=1)
    return np.sum(margins) / n, X.T @ wrong / n

def embed_backward(dout, tokens, words):
    dE = np.zeros((words, dout.shape[2]))
    np.add.at(dE, tokens, dout)
    return dE

def affine_backward(dout, x, W):
    rows = x.reshape(x.shape[0], -1)
    dx = (dout @ W.T).reshape(x.shape)
    dW = rows.T @ dout
    db = np.sum(dout, axis=0)
    return dx, dW, db

def dropout(A, U, keep):
    mask = (U < keep) / keep
    return A * mask, mask

def batches(X, Y, order, size):
    X, Y = X[:, order], Y[:, order]
    return [(X[:, k : k + size], Y[:, k : k + size]) for k in range(0, X.shape[1], size)]

def places(width, window, stride):
    return np.arange(0, width - window + 1, stride) / width

def settings(mode, momentum):
    return {"mode": mode, "momentum": momentum, "steps": 3.5}

def standardised(X):
    mean = np.mean(X, axis=0)
    return 50 + 10 * (X - mean) / np.std(X, axis=0)
"""

ROWS = """
import numpy as np

def cross_entropy(scores, y):
    loss, slopes = 0.0, np.zeros(scores.shape)
    for i, label in enumerate(y):
        row = scores[i] - scores[i].max()
        total = np.exp(row).sum()
        loss += np.log(total) - row[label]
        slopes[i] = np.exp(row) / total
        slopes[i, label] -= 1.0
    return loss / y.size, slopes / y.size

def logistic_cost(A, Y):
    bill = 0.0
    for a, y in zip(A[0], Y[0]):
        a = min(max(a, 1e-12), 1 - 1e-12)
        bill -= y * np.log(a) + (1 - y) * np.log(1 - a)
    return bill / Y.size

def hinge(X, W, y):
    loss, dW = 0.0, np.zeros(W.shape)
    for i in range(X.shape[0]):
        said = X[i].dot(W)
        for j in range(W.shape[1]):
            if j == y[i]:
                continue
            margin = said[j] - said[y[i]] + 1.0
            if margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    return loss / X.shape[0], dW / X.shape[0]

def embed_backward(dout, tokens, words):
    table = np.zeros((words, dout.shape[-1]))
    for i in range(tokens.shape[0]):
        for j in range(tokens.shape[1]):
            table[tokens[i, j]] += dout[i, j]
    return table

def affine_backward(dout, x, W):
    dx = np.zeros(x.shape)
    dW, db = np.zeros(W.shape), np.zeros(W.shape[1])
    for i in range(len(x)):
        dx[i] = W.dot(dout[i]).reshape(x[i].shape)
        dW += np.outer(x[i].ravel(), dout[i])
        db += dout[i]
    return dx, dW, db

def dropout(A, U, keep):
    mask = np.zeros(A.shape)
    mask[U < keep] = 1.0 / keep
    return mask * A, mask

def batches(X, Y, order, size):
    X = np.take(X, order, axis=1)
    Y = np.take(Y, order, axis=1)
    whole = X.shape[1] // size
    found = []
    for k in range(whole):
        found.append((X[:, k * size:(k + 1) * size], Y[:, k * size:(k + 1) * size]))
    if X.shape[1] % size:
        found.append((X[:, whole * size:], Y[:, whole * size:]))
    return found

def places(width, window, stride):
    found = []
    start = 0
    while start + window <= width:
        found.append(start / width)
        start += stride
    return np.array(found)

def settings(mode, momentum):
    kept = {}
    kept["mode"] = mode
    kept["momentum"] = momentum
    kept["steps"] = 3.5
    return kept

def standardised(X):
    out = np.zeros(X.shape)
    for j in range(X.shape[1]):
        column = X[:, j]
        middle = column.sum() / len(column)
        out[:, j] = 50.0 + 10.0 * (column - middle) / np.sqrt(((column - middle) ** 2).sum() / len(column))
    return out
"""

TENSORS = """
import numpy as np
from functools import partial

def log_softmax(s):
    top = np.amax(s, axis=-1, keepdims=True)
    return s - top - np.log(np.einsum("nc->n", np.exp(s - top)))[:, None]

def cross_entropy(scores, y):
    logs = log_softmax(scores)
    hot = np.eye(scores.shape[1])[y]
    return -np.einsum("nc,nc->", logs, hot) / y.shape[0], (np.exp(logs) - hot) / y.shape[0]

def logistic_cost(A, Y):
    sure = partial(np.clip, a_min=1e-12, a_max=1 - 1e-12)
    parts = np.where(Y == 1, np.log(sure(A)), np.log(sure(1 - A)))
    return -parts.mean()

class Hinge:
    def __init__(self, X, W, y):
        self.X, self.hot = X, np.eye(W.shape[1])[y]
        said = X @ W
        gap = said - np.einsum("nc,nc->n", said, self.hot)[:, None] + 1
        self.gap = gap * (1 - self.hot) * (gap > 0)

    def loss(self):
        return self.gap.sum() / len(self.X)

    def slopes(self):
        counted = np.sign(self.gap)
        counted = counted - self.hot * counted.sum(axis=1, keepdims=True)
        return np.einsum("ni,nc->ic", self.X, counted) / len(self.X)

def hinge(X, W, y):
    both = Hinge(X, W, y)
    return both.loss(), both.slopes()

def embed_backward(dout, tokens, words):
    chosen = np.equal.outer(np.arange(words), tokens) * 1.0
    return np.einsum("wnt,ntd->wd", chosen, dout)

def affine_backward(dout, x, W):
    below = np.matmul(dout, W.T)
    return np.reshape(below, x.shape), np.einsum("ni,nc->ic", x.reshape(len(x), W.shape[0]), dout), np.ones(len(x)) @ dout

def dropout(A, U, keep):
    mask = np.where(U < keep, 1 / keep, 0.0)
    return np.multiply(A, mask), mask

def batches(X, Y, order, size):
    cuts = list(range(size, X.shape[1], size))
    columns = np.split(np.asarray(order), cuts)
    return [(X[:, part], Y[:, part]) for part in columns]

def places(width, window, stride):
    count = (width - window) // stride + 1
    return np.linspace(0, (count - 1) * stride, count) / width

def settings(mode, momentum):
    return dict(mode=mode, momentum=momentum, steps=3.5)

def standardised(X):
    centred = X - X.mean(axis=0)
    result = 10 * centred * np.mean(centred ** 2, axis=0) ** -0.5 + 50
    return result
"""

STYLES = {"rows": ROWS, "tensors": TENSORS}


def tests(student, reference):
    """One question for each function, the large and the certain inputs last."""
    rng = np.random.default_rng(12)
    scores, y = rng.normal(size=(7, 3)), np.array([0, 2, 1, 1, 0, 2, 2])
    X, W = rng.normal(size=(7, 4)), rng.normal(size=(4, 3))
    A, Y = rng.uniform(0.1, 0.9, size=(1, 7)), (np.arange(7) % 2.0)[None]
    tokens, dout = np.array([[1, 4, 1, 0], [2, 1, 4, 5]]), rng.normal(size=(2, 4, 3))
    deep, weights = rng.normal(size=(5, 2, 3)), rng.normal(size=(6, 4))
    wide, U = rng.normal(size=(6, 11)), rng.uniform(size=(6, 11))
    order = rng.permutation(11)

    def same(name, *args):
        codes = ("MAT201", "MAT202")
        return lambda: noted(codes, check_matches, getattr(student, name), getattr(reference, name), *args)

    def slopes():
        return check_gradients(
            lambda p: student.hinge(X, p["W"], y)[0],
            lambda p: {"dW": student.hinge(X, p["W"], y)[1]},
            {"W": W},
        )

    return [
        lambda: told(check_purity, student.cross_entropy, scores, y),
        same("cross_entropy", scores, y),
        same("logistic_cost", A, Y),
        lambda: told(slopes),
        same("embed_backward", dout, tokens, 6),
        same("affine_backward", rng.normal(size=(5, 4)), deep, weights),
        same("dropout", wide, U, 0.8),
        same("batches", wide, U[:1], order, 4),
        same("batches", wide, U[:1], order, 20),
        same("places", 13, 3, 2),
        same("settings", "train", 0.9),
        same("standardised", wide),
        same("standardised", np.arange(12).reshape(4, 3) ** 2),
        same("cross_entropy", 1000 * scores, y),
        same("logistic_cost", np.array([[1.0, 0.0, 0.3]]), np.array([[1.0, 0.0, 1.0]])),
    ]


FAULTS = (
    fault(98, "scores shifted in place", "", rows="row = scores[i] - scores[i].max() => row = np.subtract(scores[i], scores[i].max(), out=scores[i])", tensors="    return s - top - np.log =>     s -= top\n    top = 0\n    return s - np.log"),
    fault(37, "the label of another example", "another-variable index-off-by-one", rows="slopes[i, label] -= 1.0 => slopes[i, y[i - 1]] -= 1.0", tensors="np.exp(logs) - hot => np.exp(logs) - np.vstack([hot[1:], hot[:1]])"),
    fault(38, "the true class counted", "step-left-out one-of-several", rows="if j == y[i]: => if j == y[i]:\n                dW[:, j] -= X[i]", tensors="counted.sum(axis=1, keepdims=True) => (counted.sum(axis=1, keepdims=True) + 1)"),
    fault(41, "a repeated token overwritten", "overwritten-not-added", rows="table[tokens[i, j]] += dout[i, j] => table[tokens[i, j]] = dout[i, j]", tensors="return np.einsum(\"wnt,ntd->wd\", chosen, dout) => table = np.zeros((words, dout.shape[2])); table[tokens] = dout; return table"),
    fault(24, "the gradient of the input stays flat", "shape-flattened", rows=("dx = np.zeros(x.shape) => dx = np.zeros((len(x), x[0].size))", ".reshape(x[i].shape) => "), tensors="np.reshape(below, x.shape) => below"),
    fault(100, "keep and drop exchanged", "comparison-reversed another-constant", rows="mask[U < keep] => mask[U > keep]", tensors="np.where(U < keep, 1 / keep, 0.0) => np.where(U > keep, 1 / keep, 0.0)"),
    fault(102, "one mask for each column", "", rows="mask[U < keep] = 1.0 / keep => mask[:, U[0] < keep] = 1.0 / keep", tensors="np.where(U < keep, 1 / keep, 0.0) => np.where(U[:1] < keep, 1 / keep, 0.0) * np.ones(A.shape)"),
    fault(87, "the last mini-batch cut wrongly", "shifted-by-one", rows="found.append((X[:, whole * size:], Y[:, whole * size:])) => found.append((X[:, -(X.shape[1] % size + 1):-1], Y[:, -(X.shape[1] % size + 1):-1]))", tensors="return [(X[:, part], Y[:, part]) for part in columns] => last = len(columns[-1]); return [(X[:, part], Y[:, part]) for part in (*columns[:-1], np.asarray(order)[-last - 1:-1])]"),
    fault(88, "a loop variable after an empty loop", "", rows="found.append((X[:, whole * size:], Y[:, whole * size:])) => found.append((X[:, (k + 1) * size:], Y[:, (k + 1) * size:]))", tensors="columns = np.split(np.asarray(order), cuts) => columns = []\n    for cut in cuts:\n        columns.append(order[cut - size:cut])\n    columns.append(order[cut:])"),
    fault(89, "inputs and labels shuffled apart", "", rows="Y = np.take(Y, order, axis=1) => Y = np.take(Y, order[::-1], axis=1)", tensors="(X[:, part], Y[:, part]) for part in columns => (X[:, part], Y[:, np.sort(part)]) for part in columns"),
    fault(96, "whole division", "all-zero", rows="start / width => start // width", tensors=("np.linspace(0, (count - 1) * stride, count) / width => np.linspace(0, (count - 1) * stride, count).astype(int) // width",)),
    fault(108, "a variable for a key", "", rows="kept[\"mode\"] = mode => kept[mode] = mode", tensors="dict(mode=mode, momentum=momentum, steps=3.5) => {mode: mode, 'momentum': momentum, 'steps': 3.5}"),
    fault(94, "arrays of integers", "integers", rows="out = np.zeros(X.shape) => out = np.zeros_like(X)", tensors="** -0.5 + 50 => ** -0.5 + 50\n    result = result.astype(X.dtype)"),
    fault(95, "single precision", "", rows="out = np.zeros(X.shape) => out = np.zeros(X.shape, dtype=\"f\")", tensors="centred = X - X.mean(axis=0) => centred = (X - X.mean(axis=0)).astype(np.float32)"),
    fault(97, "a name that numpy has dropped", "", rows="out = np.zeros(X.shape) => out = np.zeros(X.shape, dtype=np.float)", tensors="centred = X - X.mean(axis=0) => centred = X.astype(np.float) - X.mean(axis=0)"),
    fault(106, "a name from another cell", "", rows="column = X[:, j] => column = data[:, j]", tensors="centred = X - X.mean(axis=0) => centred = X - means"),
    fault(91, "softmax without the shift", "large-inputs", rows="scores[i] - scores[i].max() => scores[i]", tensors="top = np.amax(s, axis=-1, keepdims=True) => top = np.zeros((len(s), 1))"),
    fault(92, "the logarithm of 0", "certain-inputs", rows="a = min(max(a, 1e-12), 1 - 1e-12) => a = a ** 1", tensors="sure = partial(np.clip, a_min=1e-12, a_max=1 - 1e-12)\n    parts = np.where(Y == 1, np.log(sure(A)), np.log(sure(1 - A))) => parts = np.log(np.where(Y == 1, A, 1 - A) * (A < 1))"),
    fault(93, "0 times the logarithm of 0", "certain-inputs", rows="a = min(max(a, 1e-12), 1 - 1e-12) => a = a * 1", tensors="np.where(Y == 1, np.log(sure(A)), np.log(sure(1 - A))) => Y * np.log(A) + (1 - Y) * np.log(1 - A)"),
)  # fmt: skip
