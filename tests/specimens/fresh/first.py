# ruff: noqa: E501 - a patch reads best on one line
"""The first fresh set: seven styles, for references that the other specimens use too."""

from types import SimpleNamespace

from specimens.subjects import conv, deep, fault, lstm, network, recurrent, softmax

ROWS = """
import numpy as np

# works with one example per row inside, and turns everything at the door

def act(U):
    return np.tanh(U)

def out(U):
    E = np.exp(-U)
    return np.reciprocal(1.0 + E)

def run(x, p):
    H = act(x @ p["W1"].T + p["b1"].ravel())
    O = out(H @ p["W2"].T + p["b2"].ravel())
    return H, O

def forward(X, parameters):
    H, O = run(X.T, parameters)
    return O.T, (H, O)

def cost(A2, Y, parameters, lambd):
    p, t = A2.T, Y.T
    n = len(t)
    like = t * np.log(p) + (1 - t) * np.log1p(-p)
    decay = sum((parameters[k] * parameters[k]).sum() for k in ["W1", "W2"])
    return float(-like.sum(axis=1).mean() + lambd * decay / n / 2)

def backward(X, Y, parameters, lambd):
    x, t = X.T, Y.T
    n = len(x)
    H, O = run(x, parameters)
    err = O - t
    hid = (err @ parameters["W2"]) * (1.0 - H * H)
    result = {}
    for k, (e, a) in {"1": (hid, x), "2": (err, H)}.items():
        result["dW" + k] = (e.T @ a + lambd * parameters["W" + k]) / n
        result["db" + k] = e.mean(axis=0)[:, np.newaxis]
    return result
"""

RECURSIVE = """
import numpy as np

def ramp(v):
    return np.where(v < 0, 0.0, v)

def squash(v):
    return np.exp(-np.logaddexp(0, -v))

def depth(parameters):
    return max(int(name[1:]) for name in parameters)

def climb(a, parameters, level, top, seen):
    seen[level - 1] = a
    z = np.einsum("oi,im->om", parameters["W%d" % level], a) + parameters["b%d" % level]
    if level == top:
        return squash(z)
    return climb(ramp(z), parameters, level + 1, top, seen)

def forward(X, parameters):
    seen = {}
    return climb(X, parameters, 1, depth(parameters), seen), seen

def cost(AL, Y):
    right = AL * Y + (1 - AL) * (1 - Y)
    return np.log(1 / right).sum() / Y.shape[-1]

def descend(delta, parameters, level, seen, found):
    below = seen[level - 1]
    found["dW%d" % level] = np.einsum("om,im->oi", delta, below)
    found["db%d" % level] = np.einsum("om->o", delta)[:, None]
    if level == 1:
        return found
    passed = np.einsum("oi,om->im", parameters["W%d" % level], delta)
    return descend(passed * np.sign(below), parameters, level - 1, seen, found)

def backward(X, Y, parameters):
    AL, seen = forward(X, parameters)
    delta = (AL - Y) / X.shape[1]
    return descend(delta, parameters, depth(parameters), seen, {})
"""

MODEL = """
import numpy as np

class Softmax:
    def __init__(self, W, b, reg):
        self.W, self.b, self.reg = W, b, reg

    def proba(self, X):
        Z = X.dot(self.W) + self.b
        E = np.exp(Z - Z.max())
        return E / E.sum(axis=1).reshape(-1, 1)

    def loss(self, X, y):
        picked = np.take_along_axis(self.proba(X), y[:, None], axis=1)
        return -np.log(picked).mean() + self.reg * np.square(self.W).sum()

    def step(self, X, y):
        hot = np.eye(len(self.b))[y]
        D = self.proba(X) - hot
        D = D / X.shape[0]
        return {"dW": np.tensordot(X, D, axes=(0, 0)) + self.reg * 2 * self.W, "db": np.ones(len(X)) @ D}

def probabilities(X, W, b):
    return Softmax(W, b, 0).proba(X)

def loss(X, y, W, b, reg):
    return Softmax(W, b, reg).loss(X, y)

def gradients(X, y, W, b, reg):
    return Softmax(W, b, reg).step(X, y)
"""

COLUMNS = """
import numpy as np

def patches(A, f, stride, pad):
    P = np.pad(A, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    v = np.lib.stride_tricks.sliding_window_view(P, (f, f), axis=(1, 2))[:, ::stride, ::stride]
    return np.moveaxis(v, 3, -1)

def conv_forward(A_prev, W, b, stride, pad):
    cols = patches(A_prev, W.shape[0], stride, pad)
    return np.tensordot(cols, W, axes=3) + b

def conv_backward(dZ, A_prev, W, b, stride, pad):
    f = W.shape[0]
    cols = patches(A_prev, f, stride, pad)
    dW = np.tensordot(cols, dZ, axes=((0, 1, 2), (0, 1, 2)))
    spread = np.tensordot(dZ, W, axes=((3,), (3,)))
    n, H, V, _ = A_prev.shape
    grid = np.zeros((n, H + 2 * pad, V + 2 * pad, A_prev.shape[3]))
    for i in range(dZ.shape[1]):
        for j in range(dZ.shape[2]):
            grid[:, i * stride:i * stride + f, j * stride:j * stride + f] += spread[:, i, j]
    return {"dA_prev": grid[:, pad:pad + H, pad:pad + V], "dW": dW, "db": np.einsum("nijk->k", dZ)}

def pool_backward(dA, A_prev, f, stride):
    grad = 0 * A_prev
    for (n, i, j, c), e in np.ndenumerate(dA):
        block = (n, slice(i * stride, i * stride + f), slice(j * stride, j * stride + f), c)
        best = A_prev[block].max()
        grad[block] = grad[block] + np.where(A_prev[block] < best, 0, e)
    return grad
"""

CLOSURES = """
import numpy as np

def roll(x, a0, parameters):
    Waa, Wax, ba = (parameters[k] for k in ("Waa", "Wax", "ba"))
    tape = []
    def advance(state, frame):
        new = np.tanh(np.hstack((Waa, Wax)) @ np.vstack((state, frame)) + ba)
        tape.append((state, frame, new))
        return new
    state = a0
    for frame in np.moveaxis(x, 2, 0):
        state = advance(state, frame)
    return tape

def forward(x, a0, parameters):
    return np.dstack([new for _, _, new in roll(x, a0, parameters)])

def loss(x, a0, parameters, target):
    return np.square(forward(x, a0, parameters) - target).sum() / 2

def backward(x, a0, parameters, target):
    tape = roll(x, a0, parameters)
    sums = {k: np.zeros_like(v) for k, v in parameters.items()}
    later = np.zeros_like(a0)
    k = len(tape)
    while k:
        k -= 1
        state, frame, new = tape[k]
        pre = (new - target[:, :, k] + later) * (1 - new * new)
        sums["Waa"] += pre @ state.T
        sums["Wax"] += pre @ frame.T
        sums["ba"] += pre.sum(axis=1)[:, None]
        later = parameters["Waa"].T @ pre
    return {"d" + k: v for k, v in sums.items()}
"""

UNITS = """
import numpy as np

def s(z):
    return 1.0 / (1.0 + np.exp(-z))

def parts(x, a, c, p):
    pile = np.append(a, x, axis=0)
    f = s(np.add(np.matmul(p["Wf"], pile), p["bf"]))
    i = s(np.add(np.matmul(p["Wi"], pile), p["bi"]))
    g = np.tanh(np.add(np.matmul(p["Wc"], pile), p["bc"]))
    o = s(np.add(np.matmul(p["Wo"], pile), p["bo"]))
    memory = np.multiply(f, c) + np.multiply(i, g)
    return pile, f, i, g, o, memory

def cell_forward(x, a_prev, c_prev, parameters):
    pile, f, i, g, o, memory = parts(x, a_prev, c_prev, parameters)
    return np.multiply(o, np.tanh(memory)), memory, f, i, g, o

def cell_backward(da_next, dc_next, x, a_prev, c_prev, parameters):
    p = parameters
    pile, f, i, g, o, memory = parts(x, a_prev, c_prev, p)
    shown = np.tanh(memory)
    m = dc_next + da_next * o * (1 - shown ** 2)
    gate = {"f": m * c_prev * f * (1 - f), "i": m * g * i * (1 - i),
            "c": m * i * (1 - g ** 2), "o": da_next * shown * o * (1 - o)}
    into = np.zeros_like(pile)
    answer = {"dc_prev": m * f}
    for k in gate:
        into += np.matmul(p["W" + k].T, gate[k])
        answer["dW" + k] = np.matmul(gate[k], pile.T)
        answer["db" + k] = np.sum(gate[k], 1, keepdims=True)
    answer["da_prev"], answer["dx"] = np.split(into, [a_prev.shape[0]])
    return answer
"""


def of(subject, style, source, *faults):
    """Return a style of a subject, with the mistakes planted in it."""
    made = SimpleNamespace(
        STYLES={style: source}, REFERENCE=subject.REFERENCE, tests=subject.tests, FAULTS=faults
    )
    made.__name__ = subject.__name__
    return made


SETS = (
    of(network, "rows", ROWS,
        fault(1, "tanh derivative forgotten", "activation-derivative-missing", rows=" * (1.0 - H * H) => "),
        fault(3, "derivative of the sigmoid in the hidden layer", "derivative-of-another-activation", rows="(1.0 - H * H) => (H * (1.0 - H))"),
        fault(5, "H itself for its derivative", "activation-for-derivative", rows="* (1.0 - H * H) => * H"),
        fault(7, "the hidden error averaged as well", "factor-1-over-m", rows="hid = (err @ => hid = (err / n @"),
        fault(10, "sigmoid derivative with cross-entropy", "output-derivative-extra", rows="err = O - t => err = (O - t) * O * (1 - O)"),
        fault(46, "L2 with a 2", "weight-term regularisation-factor", rows="(e.T @ a + lambd * => (e.T @ a + 2 * lambd *"),
        fault(54, "lambda not divided by n in the gradient", "weight-term", rows="(e.T @ a + lambd * parameters[\"W\" + k]) / n => e.T @ a / n + lambd * parameters[\"W\" + k]"),
        fault(19, "bias gradient summed, not averaged", "factor-m", rows="e.mean(axis=0) => e.sum(axis=0)"),
        fault(8, "cost summed", "factor-m sum-for-mean", rows="like.sum(axis=1).mean() => like.sum()"),
        fault(6, "the outgoing weights' gradient passed back", "gradient-for-parameter", rows="hid = (err @ parameters[\"W2\"]) => hid = (err @ ((err.T @ H + lambd * parameters['W2']) / n))"),
        fault(0, "sigmoid in the hidden layer, forward", "another-activation", rows="    return np.tanh(U) =>     return out(U)"),
        fault(0, "output bias forgotten", "bias-missing", rows="H @ p[\"W2\"].T + p[\"b2\"].ravel() => H @ p[\"W2\"].T"),
    ),
    of(deep, "recursive", RECURSIVE,
        fault(1, "ReLU derivative forgotten", "activation-derivative-missing", recursive="passed * np.sign(below) => passed"),
        fault(8, "never averaged", "factor-m", recursive="(AL - Y) / X.shape[1] => AL - Y"),
        fault(10, "sigmoid derivative extra", "output-derivative-extra activation-derivative-twice", recursive="delta = (AL - Y) / X.shape[1] => delta = (AL - Y) * AL * (1 - AL) / X.shape[1]"),
        fault(12, "sign of the error", "sign-reversed output-error-reversed", recursive="(AL - Y) / => (Y - AL) /"),
        fault(18, "one bias gradient for the whole layer", "summed-over-all summed-without-axis", recursive="np.einsum(\"om->o\", delta)[:, None] => np.full((len(delta), 1), delta.sum())"),
        fault(5, "the activation for its derivative", "activation-for-derivative", recursive="np.sign(below) => below"),
        fault(13, "the error of the output handed down unweighed", "located-error", recursive="parameters[\"W%d\" % level], delta) => np.ones_like(parameters[\"W%d\" % level]), delta)"),
    ),
    of(softmax, "model", MODEL,
        fault(36, "the target forgotten", "target-not-subtracted term-missing", model="self.proba(X) - hot => self.proba(X)"),
        fault(49, "no L2 in the gradient", "weight-term regularisation-missing", model=" + self.reg * 2 * self.W => "),
        fault(8, "the gradient not averaged", "factor-m", model="D = D / X.shape[0] => pass"),
        fault(57, "softmax over all scores", "softmax-over-everything summed-without-axis", model="E.sum(axis=1).reshape(-1, 1) => E.sum()"),
        fault(44, "log2", "logarithm-base", model="-np.log(picked) => -np.log2(picked)"),
        fault(54, "1/2 in the penalty", "regularisation-factor", model="self.reg * np.square(self.W).sum() => 0.5 * self.reg * np.square(self.W).sum()"),
    ),
    of(conv, "columns", COLUMNS,
        fault(25, "overlap assigned", "overwritten-not-added", columns="+= spread[:, i, j] => = spread[:, i, j]"),
        fault(26, "stride forgotten on the way back", "stride-ignored", columns="grid[:, i * stride:i * stride + f, j * stride:j * stride + f] => grid[:, i:i + f, j:j + f]"),
        fault(0, "bias forgotten", "bias-missing", columns="axes=3) + b => axes=3)"),
        fault(25, "pooling overwrites", "overwritten-not-added", columns="grad[block] = grad[block] + => grad[block] ="),
    ),
    of(recurrent, "closures", CLOSURES,
        fault(29, "nothing comes back through time", "recurrent-gradient-missing", closures="later = parameters[\"Waa\"].T @ pre => pass"),
        fault(30, "input weights overwritten", "overwritten-not-added", closures="sums[\"Wax\"] += => sums[\"Wax\"] ="),
        fault(1, "tanh derivative forgotten", "activation-derivative-missing", closures=" * (1 - new * new) => "),
        fault(0, "only the last target counts", "located-error overwritten-not-added", closures="new - target[:, :, k] + later => (k == len(tape) - 1) * (new - target[:, :, k]) + later"),
    ),
    of(lstm, "units", UNITS,
        fault(31, "no path through the output", "term-missing recurrent-gradient-missing", units="m = dc_next + da_next * o * (1 - shown ** 2) => m = dc_next"),
        fault(1, "forget gate without its derivative", "activation-derivative-missing", units="m * c_prev * f * (1 - f) => m * c_prev"),
        fault(0, "candidate with a sigmoid's derivative", "derivative-of-another-activation", units="m * i * (1 - g ** 2) => m * i * g * (1 - g)"),
        fault(0, "gate bias forgotten", "bias-missing", units="np.add(np.matmul(p[\"Wo\"], pile), p[\"bo\"]) => np.matmul(p[\"Wo\"], pile)"),
        fault(0, "memory gradient without the forget gate", "factor-missing", units="{\"dc_prev\": m * f} => {\"dc_prev\": m}"),
    ),
)  # fmt: skip
