# ruff: noqa: E501 - a patch reads best on one line
"""The fourth fresh set: the mistakes that are met often (two or three crosses in the list), in four further styles."""

from specimens.fresh.first import of
from specimens.subjects import deep, fault, network, recurrent, training

FLATTENED = """
import numpy as np

# one long vector of parameters inside, as an optimiser would want it

ORDER = ("W1", "b1", "W2", "b2")

def pack(table):
    return np.concatenate([np.ravel(table[k]) for k in ORDER])

def unpack(vector, like):
    out, at = {}, 0
    for k in ORDER:
        size = like[k].size
        out[k] = vector[at:at + size].reshape(like[k].shape)
        at += size
    return out

def signal(X, p):
    inner = np.matmul(p["W1"], X)
    np.add(inner, p["b1"], out=inner)
    h = (np.exp(2 * inner) - 1) / (np.exp(2 * inner) + 1)
    outer = np.matmul(p["W2"], h) + p["b2"]
    return h, np.exp(-np.log1p(np.exp(-outer)))

def forward(X, parameters):
    h, o = signal(X, parameters)
    return o, h

def cost(A2, Y, parameters, lambd):
    n = Y.shape[1]
    surprise = -(Y * np.log(A2) + (1 - Y) * np.log1p(-A2))
    energy = 0.0
    for k in ("W1", "W2"):
        energy += np.square(parameters[k]).sum()
    return np.sum(surprise) / n + energy * lambd / (2 * n)

def backward(X, Y, parameters, lambd):
    n = X.shape[1]
    h, o = signal(X, parameters)
    e_out = o - Y
    e_in = np.dot(parameters["W2"].T, e_out)
    e_in = e_in - e_in * h ** 2
    data = {
        "W1": np.dot(e_in, X.T) / n, "b1": np.sum(e_in, 1)[:, None] / n,
        "W2": np.dot(e_out, h.T) / n, "b2": np.sum(e_out, 1)[:, None] / n,
    }
    decay = {k: (lambd / n) * v * (k[0] == "W") for k, v in parameters.items()}
    total = unpack(pack(data) + pack(decay), parameters)
    return {"d" + k: total[k] for k in ORDER}
"""

PIPELINE = """
import numpy as np

class Stage:
    def __init__(self, number, table, last):
        self.name, self.last = str(number), last
        self.weights, self.offset = table["W" + self.name], table["b" + self.name]

    def up(self, a):
        self.below = a
        self.z = np.tensordot(self.weights, a, axes=1) + self.offset
        self.a = 1.0 / (1.0 + np.exp(-self.z)) if self.last else np.maximum(self.z, 0.0)
        return self.a

    def down(self, slope, found):
        delta = slope if self.last else np.multiply(slope, self.z >= 0)
        found["dW" + self.name] = np.tensordot(delta, self.below, axes=(1, 1)) / delta.shape[1]
        found["db" + self.name] = np.average(delta, axis=1).reshape(self.offset.shape)
        return np.tensordot(self.weights, delta, axes=(0, 0))

def stages(parameters):
    top = len(parameters) // 2
    return [Stage(k, parameters, k == top) for k in range(1, top + 1)]

def forward(X, parameters):
    line, a = stages(parameters), X
    for stage in line:
        a = stage.up(a)
    return a, line

def cost(AL, Y):
    good, bad = AL[Y == 1], AL[Y == 0]
    return -(np.log(good).sum() + np.log(1 - bad).sum()) / Y.shape[1]

def backward(X, Y, parameters):
    a, line = forward(X, parameters)
    slope, found = a - Y, {}
    while line:
        slope = line.pop().down(slope, found)
    return found
"""

COLUMNWISE = """
import numpy as np

def rnn(x, a0, p):
    states = {-1: a0}
    for t in range(x.shape[-1]):
        drive = p["Wax"].dot(x[:, :, t])
        memory = p["Waa"].dot(states[t - 1])
        states[t] = np.tanh(drive + memory + p["ba"])
    return states

def forward(x, a0, parameters):
    states = rnn(x, a0, parameters)
    return np.moveaxis(np.array([states[t] for t in range(x.shape[-1])]), 0, -1)

def loss(x, a0, parameters, target):
    miss = (forward(x, a0, parameters) - target).reshape(-1)
    return 0.5 * miss.dot(miss)

def backward(x, a0, parameters, target):
    states = rnn(x, a0, parameters)
    T = x.shape[-1]
    sums = {"d" + k: np.zeros(v.shape) for k, v in parameters.items()}
    coming = np.zeros(a0.shape)
    for t in range(T)[::-1]:
        into = (states[t] - target[:, :, t]) + coming
        into *= 1 - np.square(states[t])
        sums["dWax"] += into.dot(x[:, :, t].T)
        sums["dWaa"] += into.dot(states[t - 1].T)
        sums["dba"] += into.sum(axis=1).reshape(-1, 1)
        coming = parameters["Waa"].T.dot(into)
    return sums
"""

PLAIN = """
import numpy as np

def adam(w, dw, v, s, t, learning_rate, beta1, beta2, epsilon):
    m1 = (1 - beta1) * dw + beta1 * v
    m2 = (1 - beta2) * (dw * dw) + beta2 * s
    m1_hat = m1 * (1.0 / (1 - beta1 ** t))
    m2_hat = m2 * (1.0 / (1 - beta2 ** t))
    change = -learning_rate * m1_hat
    change = change / (epsilon + m2_hat ** 0.5)
    return w + change, m1, m2

def momentum(w, dw, v, learning_rate, beta):
    pace = (1 - beta) * dw + beta * v
    new = w.copy()
    new -= learning_rate * pace
    return new, pace

def dropout_forward(A, D, keep_prob):
    kept = A.copy()
    kept[D == 0] = 0.0
    kept /= keep_prob
    return kept

def dropout_backward(dA, D, keep_prob):
    kept = dA.copy()
    kept[D == 0] = 0.0
    kept /= keep_prob
    return kept

def batchnorm_forward(x, gamma, beta, eps):
    mu = x.mean(0)
    spread = np.mean((x - mu) * (x - mu), axis=0)
    return beta + gamma * (x - mu) * (spread + eps) ** -0.5

def batchnorm_backward(dout, x, gamma, eps):
    n = x.shape[0]
    c = x - x.mean(0)
    inv = (np.mean(c * c, axis=0) + eps) ** -0.5
    dhat = gamma * dout
    dvar = -0.5 * np.sum(dhat * c, 0) * inv ** 3
    dmu = -inv * np.sum(dhat, 0)
    dx = dhat * inv + dvar * 2 / n * c + dmu / n
    return dx, np.sum(dout * c * inv, 0), np.sum(dout, 0)

def layernorm_forward(x, gamma, beta, eps):
    mu = np.mean(x, axis=1)[:, None]
    spread = np.mean((x - mu) ** 2, axis=1)[:, None]
    return gamma * (x - mu) / np.sqrt(spread + eps) + beta
"""

SETS = (
    of(network, "flattened", FLATTENED,
       fault(1, "tanh's slope forgotten", "activation-derivative-missing", flattened="e_in = e_in - e_in * h ** 2 => pass"),
       fault(2, "slope at the activated value", "derivative-at-activated-value", flattened="e_in * h ** 2 => e_in * np.tanh(h) ** 2"),
       fault(3, "the sigmoid's slope", "derivative-of-another-activation", flattened="e_in = e_in - e_in * h ** 2 => e_in = e_in * h * (1 - h)"),
       fault(7, "averaged on the way and in the end", "factor-1-over-m", flattened="e_in = np.dot(parameters[\"W2\"].T, e_out) => e_in = np.dot(parameters[\"W2\"].T, e_out / n)"),
       fault(8, "never averaged", "factor-m", flattened=("np.dot(e_in, X.T) / n => np.dot(e_in, X.T)", "np.sum(e_in, 1)[:, None] / n => np.sum(e_in, 1)[:, None]", "np.dot(e_out, h.T) / n => np.dot(e_out, h.T)", "np.sum(e_out, 1)[:, None] / n => np.sum(e_out, 1)[:, None]")),
       fault(10, "sigmoid's slope with cross-entropy", "output-derivative-extra", flattened="e_out = o - Y => e_out = (o - Y) * (o - o ** 2)"),
       fault(12, "target minus output", "output-error-reversed sign-reversed", flattened="e_out = o - Y => e_out = Y - o"),
       fault(12, "bracket lost", "output-error-bracket", flattened="e_out = o - Y => e_out = (-Y / o - (1 - Y) / (1 - o)) * o * (1 - o)"),
       fault(18, "one sum for all units", "summed-over-all", flattened="np.sum(e_in, 1)[:, None] / n => np.sum(e_in) / n * np.ones((len(h), 1))"),
       fault(19, "bias averaged once more", "factor-1-over-m", flattened="np.sum(e_in, 1)[:, None] / n => np.mean(e_in, 1)[:, None] / n"),
       fault(22, "bias from the weights", "bias-from-weight-gradient", flattened="np.sum(e_out, 1)[:, None] / n => np.dot(e_out, h.T).sum(1)[:, None] / n"),
       fault(23, "hidden bias stays", "all-zero", flattened="np.sum(e_in, 1)[:, None] / n => np.zeros((len(h), 1))"),
       fault(45, "rows counted in the cost", "divided-by-wrong-size", flattened="n = Y.shape[1]\n    surprise => n = Y.shape[0]\n    surprise"),
       fault(46, "decay doubled", "weight-term regularisation-factor", flattened="(lambd / n) * v * (k => (2 * lambd / n) * v * (k"),
       fault(50, "biases decay", "bias-regularised", flattened=" * (k[0] == \"W\") => "),
       fault(53, "one layer decays", "weight-term regularisation-missing", flattened="(k[0] == \"W\") => (k == \"W1\")"),
       fault(58, "cost in a matrix", "number-as-array", flattened="return np.sum(surprise) / n => return np.sum(surprise, keepdims=True) / n"),
       fault(111, "no sigmoid", "activation-missing", flattened="np.exp(-np.log1p(np.exp(-outer))) => outer"),
    ),
    of(deep, "pipeline", PIPELINE,
       fault(1, "ReLU lets everything through", "activation-derivative-missing", pipeline="np.multiply(slope, self.z >= 0) => slope"),
       fault(8, "weights not averaged", "factor-m", pipeline="axes=(1, 1)) / delta.shape[1] => axes=(1, 1))"),
       fault(10, "sigmoid's slope at the top", "output-derivative-extra", pipeline="slope, found = a - Y, {} => slope, found = (a - Y) * a * (1 - a), {}"),
       fault(12, "sign", "sign-reversed output-error-reversed", pipeline="slope, found = a - Y, {} => slope, found = Y - a, {}"),
       fault(18, "one number for all biases", "summed-over-all averaged-over-all", pipeline="np.average(delta, axis=1).reshape(self.offset.shape) => np.full(self.offset.shape, delta.sum() / delta.shape[1])"),
       fault(19, "bias averaged twice", "factor-1-over-m", pipeline=".reshape(self.offset.shape) => .reshape(self.offset.shape) / delta.shape[1]"),
       fault(21, "flat biases", "keepdims-missing", pipeline=".reshape(self.offset.shape) => "),
    ),
    of(recurrent, "columnwise", COLUMNWISE,
       fault(29, "nothing comes back", "recurrent-gradient-missing", columnwise="into = (states[t] - target[:, :, t]) + coming => into = states[t] - target[:, :, t]"),
       fault(29, "the past forgotten on the way up", "recurrent-term-missing", columnwise="np.tanh(drive + memory + p[\"ba\"]) => np.tanh(drive + p[\"ba\"])"),
       fault(1, "tanh's slope forgotten", "activation-derivative-missing", columnwise="into *= 1 - np.square(states[t]) => pass"),
       fault(2, "slope of the slope", "derivative-at-activated-value", columnwise="into *= 1 - np.square(states[t]) => into *= 1 - np.square(np.tanh(states[t]))"),
       fault(30, "sums overwritten", "overwritten-not-added", columnwise=("sums[\"dWax\"] += => sums[\"dWax\"] =", "sums[\"dWaa\"] += => sums[\"dWaa\"] =", "sums[\"dba\"] += => sums[\"dba\"] =")),
       fault(55, "no 1/2", "factor-2", columnwise="return 0.5 * miss.dot(miss) => return miss.dot(miss)"),
       fault(12, "error turned round", "sign-reversed output-error-reversed", columnwise="(states[t] - target[:, :, t]) + coming => (target[:, :, t] - states[t]) + coming"),
    ),
    of(training, "plain", PLAIN,
       fault(79, "uphill", "step-uphill", plain="new -= learning_rate * pace => new += learning_rate * pace"),
       fault(80, "old weights forgotten", "old-value-forgotten", plain="new = w.copy() => new = np.zeros_like(w)"),
       fault(83, "its own learning rate", "step-length learning-rate-missing", plain="new -= learning_rate * pace => new -= 0.1 * pace"),
       fault(84, "second moment as it is", "bias-correction-missing", plain="m2_hat = m2 * (1.0 / (1 - beta2 ** t)) => m2_hat = m2"),
       fault(85, "the other beta", "another-variable", plain="m2 = (1 - beta2) * (dw * dw) + beta2 * s => m2 = (1 - beta1) * (dw * dw) + beta1 * s"),
       fault(86, "epsilon under the root", "epsilon-inside-root", plain="(epsilon + m2_hat ** 0.5) => (epsilon + m2_hat) ** 0.5"),
       fault(90, "weights returned as they were", "step-not-taken", plain="return new, pace => return w, pace"),
       fault(42, "no mask on the way back", "mask-not-applied factor-missing step-left-out", plain="kept = dA.copy()\n    kept[D == 0] = 0.0 => kept = dA.copy()"),
       fault(101, "no rescaling", "mask-not-rescaled", plain="kept[D == 0] = 0.0\n    kept /= keep_prob\n    return kept\n\ndef dropout_backward => kept[D == 0] = 0.0\n    return kept\n\ndef dropout_backward"),
       fault(33, "mean held constant", "term-missing", plain=" + dmu / n => "),
       fault(103, "the variance for its root", "root-missing variance-for-std power-missing", plain="(spread + eps) ** -0.5 => (spread + eps) ** -1"),
    ),
)  # fmt: skip
