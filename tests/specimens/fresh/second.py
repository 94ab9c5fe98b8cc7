# ruff: noqa: E501 - a patch reads best on one line
"""The second fresh set: five further styles, written after what the first one taught was built in."""

from specimens.fresh.first import of
from specimens.subjects import conv, fault, lstm, network, recurrent, softmax

TAPE = """
import numpy as np

def apply(tape, kind, value, *more):
    tape.append((kind, value, more))
    return value

def play(X, p):
    tape = []
    z = apply(tape, "affine", p["W1"].dot(X) + p["b1"], "1", X)
    h = apply(tape, "tanh", np.sinh(z) / np.cosh(z))
    z = apply(tape, "affine", p["W2"].dot(h) + p["b2"], "2", h)
    return apply(tape, "sigmoid", 1 / (1 + np.exp(-z))), tape

def forward(X, parameters):
    return play(X, parameters)

def cost(A2, Y, parameters, lambd):
    picked = np.concatenate([A2[Y == 1], 1 - A2[Y == 0]])
    size = sum(np.dot(parameters[k].ravel(), parameters[k].ravel()) for k in ("W1", "W2"))
    return (lambd * size / 2 - np.log(picked).sum()) / Y.shape[1]

def backward(X, Y, parameters, lambd):
    A2, tape = play(X, parameters)
    m = X.shape[1]
    grads, g = {}, None
    for kind, value, more in reversed(tape):
        if kind == "sigmoid":
            g = (value - Y) / m
        elif kind == "tanh":
            g = g - g * value * value
        else:
            name, below = more
            W = parameters["W" + name]
            grads["dW" + name] = g.dot(below.T) + lambd / m * W
            grads["db" + name] = g.sum(axis=1, keepdims=True)
            g = W.T.dot(g)
    return grads
"""

TURNED = """
import numpy as np

def probabilities(X, W, b):
    S = W.T.dot(X.T) + b[:, None]
    S = np.exp(S - S.max(axis=0))
    return (S / S.sum(axis=0)).T

def loss(X, y, W, b, reg):
    total = 0.0
    for row, label in zip(probabilities(X, W, b), y):
        total -= np.log(row[label])
    return total / y.size + reg * float(np.trace(W.T @ W))

def gradients(X, y, W, b, reg):
    p = probabilities(X, W, b).T
    for i, label in enumerate(y):
        p[label, i] = p[label, i] - 1
    p = p * (1.0 / y.size)
    return {"dW": p.dot(X).T + 2.0 * reg * W, "db": p.sum(axis=-1)}
"""

PIXELS = """
import numpy as np

def ring(A, pad):
    n, h, w, c = A.shape
    B = np.zeros((n, h + 2 * pad, w + 2 * pad, c))
    B[:, pad:pad + h, pad:pad + w] = A
    return B

def conv_forward(A_prev, W, b, stride, pad):
    B = ring(A_prev, pad)
    f = W.shape[0]
    rows = (B.shape[1] - f) // stride + 1
    cols = (B.shape[2] - f) // stride + 1
    Z = np.zeros((len(B), rows, cols, W.shape[3]))
    for u in range(f):
        for v in range(f):
            part = B[:, u:u + stride * rows:stride, v:v + stride * cols:stride]
            Z += np.einsum("nrsc,ck->nrsk", part, W[u, v])
    return Z + b

def conv_backward(dZ, A_prev, W, b, stride, pad):
    B = ring(A_prev, pad)
    G, back = np.zeros(W.shape), np.zeros(B.shape)
    f, rows, cols = len(W), dZ.shape[1], dZ.shape[2]
    for u in range(f):
        for v in range(f):
            spot = (slice(None), slice(u, u + stride * rows, stride), slice(v, v + stride * cols, stride))
            G[u, v] = np.einsum("nrsc,nrsk->ck", B[spot], dZ)
            back[spot] += dZ @ W[u, v].T
    return {"dA_prev": back[:, pad:back.shape[1] - pad, pad:back.shape[2] - pad], "dW": G, "db": dZ.sum((0, 1, 2))}

def pool_backward(dA, A_prev, f, stride):
    out = np.zeros_like(A_prev)
    for n in range(dA.shape[0]):
        for c in range(dA.shape[3]):
            for r in range(dA.shape[1]):
                for s in range(dA.shape[2]):
                    y, x = r * stride, s * stride
                    w = A_prev[n, y:y + f, x:x + f, c]
                    a, b = np.unravel_index(w.argmax(), w.shape)
                    out[n, y + a, x + b, c] += dA[n, r, s, c]
    return out
"""

UNROLLED = """
import numpy as np

def forward(x, a0, parameters):
    p = parameters
    pre = np.einsum("hi,imt->hmt", p["Wax"], x)
    a = np.empty(pre.shape)
    for t in range(pre.shape[2]):
        before = a[..., t - 1] if t else a0
        a[..., t] = np.tanh(pre[..., t] + p["Waa"] @ before + p["ba"])
    return a

def loss(x, a0, parameters, target):
    gap = forward(x, a0, parameters) - target
    return 0.5 * np.vdot(gap, gap)

def backward(x, a0, parameters, target):
    a = forward(x, a0, parameters)
    steps = a.shape[2]
    errors = np.zeros(a.shape)
    slope = 1 - a ** 2
    for t in range(steps - 1, -1, -1):
        total = a[..., t] - target[..., t]
        if t + 1 < steps:
            total = total + parameters["Waa"].T @ errors[..., t + 1]
        errors[..., t] = total * slope[..., t]
    earlier = np.concatenate([a0[..., None], a[..., :-1]], axis=2)
    return {
        "dWaa": np.einsum("gmt,hmt->gh", errors, earlier),
        "dWax": np.einsum("hmt,imt->hi", errors, x),
        "dba": errors.sum(axis=(1, 2))[:, None],
    }
"""

LISTED = """
import numpy as np

def logistic(v):
    return np.exp(v) / (1 + np.exp(v))

ORDER = ["f", "i", "c", "o"]

def look(x, h, c, p):
    joint = np.r_[h, x]
    raw = [p["W" + k] @ joint + p["b" + k] for k in ORDER]
    values = [np.tanh(r) if k == "c" else logistic(r) for k, r in zip(ORDER, raw)]
    keep, write, new, show = values
    cell = keep * c + write * new
    return joint, values, cell

def cell_forward(x, a_prev, c_prev, parameters):
    _, (keep, write, new, show), cell = look(x, a_prev, c_prev, parameters)
    return show * np.tanh(cell), cell, keep, write, new, show

def cell_backward(da_next, dc_next, x, a_prev, c_prev, parameters):
    joint, (keep, write, new, show), cell = look(x, a_prev, c_prev, parameters)
    squashed = np.tanh(cell)
    flow = dc_next + show * da_next * (1 - squashed * squashed)
    outer = [flow * c_prev, flow * new, flow * write, da_next * squashed]
    inner = [keep * (1 - keep), write * (1 - write), 1 - new * new, show * (1 - show)]
    errors = [a * b for a, b in zip(outer, inner)]
    down = np.sum([parameters["W" + k].T @ e for k, e in zip(ORDER, errors)], axis=0)
    grads = {"dx": down[a_prev.shape[0]:], "da_prev": down[: a_prev.shape[0]], "dc_prev": flow * keep}
    for k, e in zip(ORDER, errors):
        grads["dW" + k] = e @ joint.T
        grads["db" + k] = e.sum(axis=1, keepdims=True)
    return grads
"""

SETS = (
    of(network, "tape", TAPE,
       fault(1, "tanh derivative forgotten", "activation-derivative-missing", tape="g = g - g * value * value => pass"),
       fault(2, "derivative at the activated value", "derivative-at-activated-value", tape="g = g - g * value * value => g = g - g * np.tanh(value) ** 2"),
       fault(9, "error divided by the sigmoid's derivative", "output-derivative-missing activation-derivative-missing", tape="g = (value - Y) / m => g = (value - Y) / (value * (1 - value)) / m"),
       fault(50, "biases decay too", "bias-regularised", tape="g.sum(axis=1, keepdims=True) => g.sum(axis=1, keepdims=True) + lambd / m * parameters['b' + name]"),
       fault(81, "weights moved before they are used", "located-error", tape="g = W.T.dot(g) => g = (W - 0.05 * grads['dW' + name]).T.dot(g)"),
       fault(0, "hidden ReLU, forward", "another-activation", tape="np.sinh(z) / np.cosh(z) => np.maximum(z, 0)")),
    of(softmax, "turned", TURNED,
       fault(12, "labels minus probabilities", "sign-reversed output-error-reversed", turned="p = p * (1.0 / y.size) => p = -p / y.size"),
       fault(8, "the gradient not averaged", "factor-m", turned="p = p * (1.0 / y.size) => pass"),
       fault(46, "L2 without the 2 in the gradient", "weight-term regularisation-factor", turned="2.0 * reg * W => reg * W"),
       fault(20, "bias gradient averaged over the classes", "factor-1-over-m mean-for-sum", turned="p.sum(axis=-1) => p.mean(axis=-1)"),
       fault(0, "bias forgotten", "bias-missing", turned=" + b[:, None] => ")),
    of(conv, "pixels", PIXELS,
       fault(25, "overlap assigned", "overwritten-not-added", pixels="back[spot] += dZ => back[spot] = dZ"),
       fault(0, "bias forgotten", "bias-missing", pixels="return Z + b => return Z"),
       fault(8, "weights averaged over the images", "factor-m factor-1-over-m factor-half", pixels="\"dW\": G => \"dW\": G / len(B)")),
    of(recurrent, "unrolled", UNROLLED,
       fault(29, "nothing comes back through time", "recurrent-gradient-missing", unrolled="if t + 1 < steps: => if False:"),
       fault(0, "transpose forgotten on the way back", "transpose-missing", unrolled="parameters[\"Waa\"].T @ => parameters[\"Waa\"] @"),
       fault(14, "the state itself for the one before", "another-variable", unrolled="\"gmt,hmt->gh\", errors, earlier => \"gmt,hmt->gh\", errors, a"),
       fault(3, "derivative of the sigmoid", "derivative-of-another-activation", unrolled="slope = 1 - a ** 2 => slope = a * (1 - a)")),
    of(lstm, "listed", LISTED,
       fault(31, "nothing from the cell above", "term-missing recurrent-gradient-missing", listed="flow = dc_next + show => flow = show"),
       fault(1, "input gate without its derivative", "activation-derivative-missing", listed="write * (1 - write), => 1.0,"),
       fault(0, "candidate's derivative not squared", "derivative-incomplete", listed="1 - new * new => 1 - new"),
       fault(0, "candidate times the wrong gate", "another-variable", listed="flow * new, flow * write => flow * new, flow * keep")),
)  # fmt: skip
