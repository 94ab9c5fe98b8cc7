# ruff: noqa: E501 - a patch reads best on one line
"""Steps of training: Adam, momentum, dropout forwards and backwards, batch and layer normalisation."""

import numpy as np
from specimens.rehearsal import match_finding
from specimens.subjects import fault

REFERENCE = """
import numpy as np

def adam(w, dw, v, s, t, learning_rate, beta1, beta2, epsilon):
    v = beta1 * v + (1 - beta1) * dw
    s = beta2 * s + (1 - beta2) * dw**2
    v_corrected = v / (1 - beta1**t)
    s_corrected = s / (1 - beta2**t)
    w = w - learning_rate * v_corrected / (np.sqrt(s_corrected) + epsilon)
    return w, v, s

def momentum(w, dw, v, learning_rate, beta):
    v = beta * v + (1 - beta) * dw
    w = w - learning_rate * v
    return w, v

def dropout_forward(A, D, keep_prob):
    return A * D / keep_prob

def dropout_backward(dA, D, keep_prob):
    dA = dA * D
    dA = dA / keep_prob
    return dA

def batchnorm_forward(x, gamma, beta, eps):
    mean = np.mean(x, axis=0)
    var = np.var(x, axis=0)
    normal = (x - mean) / np.sqrt(var + eps)
    return gamma * normal + beta

def batchnorm_backward(dout, x, gamma, eps):
    N = x.shape[0]
    mean = np.mean(x, axis=0)
    var = np.var(x, axis=0)
    std = np.sqrt(var + eps)
    normal = (x - mean) / std
    dgamma = np.sum(dout * normal, axis=0)
    dbeta = np.sum(dout, axis=0)
    dnormal = dout * gamma
    from_mean = np.sum(dnormal, axis=0) / N
    from_var = normal * np.sum(dnormal * normal, axis=0) / N
    dx = (dnormal - from_mean - from_var) / std
    return dx, dgamma, dbeta

def layernorm_forward(x, gamma, beta, eps):
    mean = np.mean(x, axis=1, keepdims=True)
    var = np.var(x, axis=1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta
"""

OWN = """
import numpy as np

def adam(w, dw, v, s, t, learning_rate, beta1, beta2, epsilon):
    first = v + (1 - beta1) * (dw - v)
    second = s + (1 - beta2) * (np.square(dw) - s)
    a = first / (1 - np.power(beta1, t))
    b = second / (1 - np.power(beta2, t))
    root = b ** 0.5
    return w - learning_rate * (a / (root + epsilon)), first, second

def momentum(w, dw, v, learning_rate, beta):
    u = dw + beta * (v - dw)
    return w + (-learning_rate) * u, u

def dropout_forward(A, D, keep_prob):
    scale = 1 / keep_prob
    return np.where(D > 0, scale * A, 0)

def dropout_backward(dA, D, keep_prob):
    back = np.zeros_like(dA)
    back[D > 0] = dA[D > 0] / keep_prob
    return back

def batchnorm_forward(x, gamma, beta, eps):
    centred = x - x.sum(axis=0) / len(x)
    spread = (centred ** 2).sum(axis=0) / len(x)
    return centred * (gamma * (spread + eps) ** -0.5) + beta

def batchnorm_backward(dout, x, gamma, eps):
    n = len(x)
    c = x - x.mean(axis=0)
    inverse = ((c * c).mean(axis=0) + eps) ** -0.5
    h = c * inverse
    g = dout * gamma
    dx = inverse / n * (n * g - g.sum(axis=0) - h * (g * h).sum(axis=0))
    return dx, (dout * h).sum(axis=0), dout.sum(axis=0)

def layernorm_forward(x, gamma, beta, eps):
    c = x - x.mean(axis=1)[:, None]
    return beta + gamma * c / np.sqrt((c * c).mean(axis=1)[:, None] + eps)
"""

ROWS = """
import numpy as np

def moved(old, new, share):
    return share * old + (1 - share) * new

def adam(w, dw, v, s, t, learning_rate, beta1, beta2, epsilon):
    v = moved(v, dw, beta1)
    s = moved(s, dw * dw, beta2)
    length = learning_rate / (1 - beta1 ** t)
    size = np.sqrt(s / (1 - beta2 ** t))
    step = length * v / (size + epsilon)
    return np.subtract(w, step), v, s

def momentum(w, dw, v, learning_rate, beta):
    v = moved(v, dw, beta)
    return np.subtract(w, np.multiply(learning_rate, v)), v

def dropout_forward(A, D, keep_prob):
    return np.multiply(A, D) * (1.0 / keep_prob)

def dropout_backward(dA, D, keep_prob):
    return np.multiply(dA, D) * (1.0 / keep_prob)

def batchnorm_forward(x, gamma, beta, eps):
    columns = []
    for column, g, b in zip(x.T, gamma, beta):
        centred = column - column.mean()
        columns.append(g * centred / np.sqrt(np.mean(centred**2) + eps) + b)
    return np.stack(columns, axis=1)

def batchnorm_backward(dout, x, gamma, eps):
    dx, dgamma, dbeta = np.zeros_like(x), np.zeros_like(gamma), np.zeros_like(gamma)
    for j in range(x.shape[1]):
        c = x[:, j] - x[:, j].mean()
        var = np.mean(c**2) + eps
        d = dout[:, j] * gamma[j]
        dvar = np.sum(d * c) * -0.5 * var**-1.5
        dmean = -np.sum(d) / np.sqrt(var)
        dx[:, j] = d / np.sqrt(var) + dvar * 2 * c / len(x) + dmean / len(x)
        dgamma[j] = np.sum(dout[:, j] * c) / np.sqrt(var)
        dbeta[j] = np.sum(dout[:, j])
    return dx, dgamma, dbeta

def layernorm_forward(x, gamma, beta, eps):
    out = []
    for row in x:
        out.append(gamma * (row - row.mean()) / np.sqrt(row.var() + eps) + beta)
    return np.array(out)
"""

STYLES = {"own": OWN, "rows": ROWS}

rng = np.random.default_rng(31)
w, dw, v = rng.normal(size=(3, 4, 5))
s = rng.random((4, 5))
A = rng.normal(size=(4, 7))
D = (rng.random((4, 7)) < 0.7) * 1.0
x = rng.normal(size=(7, 5))
gamma, beta = rng.normal(size=(2, 5))
DOUT = rng.normal(size=(7, 5))
EPS = 0.1


def tests(student, reference):
    """Each function against the reference."""
    calls = [
        ("adam", (w, dw, v, s, 3, 0.07, 0.9, 0.97, 0.02)),
        ("momentum", (w, dw, v, 0.07, 0.9)),
        ("dropout_forward", (A, D, 0.7)),
        ("dropout_backward", (A, D, 0.7)),
        ("batchnorm_forward", (x, gamma, beta, EPS)),
        ("batchnorm_backward", (DOUT, x, gamma, EPS)),
        ("layernorm_forward", (x, gamma, beta, EPS)),
    ]
    return [
        lambda name=name, args=args: match_finding(getattr(student, name), getattr(reference, name), *args)
        for name, args in calls
    ]


FAULTS = [
    fault(79, "step uphill", "step-uphill", own="w + (-learning_rate) * u => w + learning_rate * u", rows="return np.subtract(w, np.multiply(learning_rate, v)), v => return np.add(w, np.multiply(learning_rate, v)), v"),
    fault(80, "old value forgotten", "old-value-forgotten", own="w + (-learning_rate) * u => (-learning_rate) * u", rows="return np.subtract(w, np.multiply(learning_rate, v)), v => return np.multiply(learning_rate, v), v"),
    fault(83, "learning rate ignored", "step-length learning-rate-missing", own="w + (-learning_rate) * u => w - 0.01 * u", rows="return np.subtract(w, np.multiply(learning_rate, v)), v => return np.subtract(w, v), v"),
    fault(84, "second moment not corrected", "another-variable divisor-missing bias-correction-missing", own="b = second / (1 - np.power(beta2, t)) => b = second", rows="size = np.sqrt(s / (1 - beta2 ** t)) => size = np.sqrt(s)"),
    fault(84, "first moment not corrected", "another-variable divisor-missing bias-correction-missing", own="a = first / (1 - np.power(beta1, t)) => a = first", rows="learning_rate / (1 - beta1 ** t) => learning_rate"),
    fault(85, "beta1 for beta2", "another-variable", own="second = s + (1 - beta2) => second = s + (1 - beta1)", rows="s = moved(s, dw * dw, beta2) => s = moved(s, dw * dw, beta1)"),
    fault(85, "beta1 in one place only", "another-variable", rows="s = moved(s, dw * dw, beta2) => s = beta1 * s + (1 - beta2) * dw * dw"),
    fault(86, "epsilon inside the root", "epsilon-inside-root", own=("root = b ** 0.5 => root = (b + epsilon) ** 0.5", "(root + epsilon) => root"), rows=("np.sqrt(s / (1 - beta2 ** t)) => np.sqrt(s / (1 - beta2 ** t) + epsilon)", "(size + epsilon) => size")),
    fault(0, "epsilon forgotten", "epsilon-missing", own="(root + epsilon) => root", rows="(size + epsilon) => size"),
    fault(42, "mask missing in backward", "mask-not-applied factor-missing", own="back[D > 0] = dA[D > 0] / keep_prob => back = dA / keep_prob", rows="    return np.multiply(dA, D) * (1.0 / keep_prob) =>     return dA * (1.0 / keep_prob)"),
    fault(42, "scale missing in backward", "mask-not-rescaled", own="dA[D > 0] / keep_prob => dA[D > 0]", rows="    return np.multiply(dA, D) * (1.0 / keep_prob) =>     return np.multiply(dA, D)"),
    fault(101, "dropout not rescaled", "mask-not-rescaled", own="scale = 1 / keep_prob => scale = 1", rows="return np.multiply(A, D) * (1.0 / keep_prob) => return np.multiply(A, D)"),
    fault(33, "mean held constant", "term-missing", own=" - g.sum(axis=0) => ", rows=" + dmean / len(x) => "),
    fault(33, "variance held constant", "term-missing", own=" - h * (g * h).sum(axis=0) => ", rows=" + dvar * 2 * c / len(x) => "),
    fault(34, "epsilon outside the root", "epsilon-outside-root", own="(spread + eps) ** -0.5 => (spread ** 0.5 + eps) ** -1", rows="np.sqrt(np.mean(centred**2) + eps) => (np.sqrt(np.mean(centred**2)) + eps)"),
    fault(35, "layer norm over the batch", "summed-over-other-axis", own=("c = x - x.mean(axis=1)[:, None] => c = x - x.mean(axis=0)", "(c * c).mean(axis=1)[:, None] => (c * c).mean(axis=0)")),
    fault(103, "variance for the standard deviation", "root-missing call-skipped power-missing", own="(spread + eps) ** -0.5 => (spread + eps) ** -1", rows="np.sqrt(np.mean(centred**2) + eps) => (np.mean(centred**2) + eps)"),
]  # fmt: skip
