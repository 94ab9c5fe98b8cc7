# ruff: noqa: E501 - a patch reads best on one line
"""The third fresh set: eight further styles, each with mistakes and with changes that keep it right.

Written from the list of mistakes and the signatures alone, and run once before anything was mended.
"""

from specimens.fresh.first import of
from specimens.subjects import classifier, conv, deep, fault, lstm, network, recurrent, softmax, training

BORDERED = """
import numpy as np

# the bias is one more column of the weights, and one more row of ones stands below each layer's input

def bordered(p, n):
    return np.hstack([p["W" + str(n)], p["b" + str(n)]])

def with_ones(M):
    return np.vstack([M, np.ones((1, M.shape[1]))])

def passes(X, p):
    inputs = [with_ones(X)]
    middle = np.tanh(bordered(p, 1) @ inputs[0])
    inputs.append(with_ones(middle))
    top = bordered(p, 2) @ inputs[1]
    return inputs, middle, np.divide(1.0, np.exp(-top) + 1.0)

def forward(X, parameters):
    inputs, middle, chance = passes(X, parameters)
    return chance, (inputs, middle)

def cost(A2, Y, parameters, lambd):
    count = Y.shape[-1]
    wrongness = -Y * np.log(A2) - (1.0 - Y) * np.log(1.0 - A2)
    weights = np.concatenate([parameters["W1"].flatten(), parameters["W2"].flatten()])
    return np.einsum("ij->", wrongness) / count + 0.5 * (lambd / count) * np.inner(weights, weights)

def backward(X, Y, parameters, lambd):
    inputs, middle, chance = passes(X, parameters)
    count = Y.shape[-1]
    error = np.subtract(chance, Y) / count
    slopes = {}
    for n in (2, 1):
        whole = error @ inputs[n - 1].T
        slopes["dW%d" % n] = whole[:, :-1] + lambd / count * parameters["W%d" % n]
        slopes["db%d" % n] = whole[:, -1:]
        if n == 2:
            error = (parameters["W2"].T @ error) * (1 + middle) * (1 - middle)
    return slopes
"""

ONE_BY_ONE = """
import numpy as np

def positive(v):
    return np.array([max(0.0, entry) for entry in v])

def logistic(v):
    return np.array([1.0 / (1.0 + np.exp(-entry)) for entry in v])

def climb(x, theta, layers):
    values = [x]
    for k in range(1, layers + 1):
        total = theta[f"W{k}"].dot(values[-1]) + theta[f"b{k}"][:, 0]
        values.append(logistic(total) if k == layers else positive(total))
    return values

def forward(X, parameters):
    layers = len(parameters) // 2
    every = [climb(column, parameters, layers) for column in X.T]
    return np.column_stack([values[-1] for values in every]), every

def cost(AL, Y):
    bill = 0.0
    for a, y in zip(AL.ravel(), Y.ravel()):
        bill -= np.log(a) if y == 1 else np.log(1.0 - a)
    return bill / Y.shape[1]

def backward(X, Y, parameters):
    layers = len(parameters) // 2
    total = {"d" + name: np.zeros(value.shape) for name, value in parameters.items()}
    for i in range(X.shape[1]):
        values = climb(X[:, i], parameters, layers)
        delta = values[layers] - Y[:, i]
        for k in range(layers, 0, -1):
            total[f"dW{k}"] += np.outer(delta, values[k - 1])
            total[f"db{k}"] += delta.reshape(-1, 1)
            if k > 1:
                sent = parameters[f"W{k}"].T.dot(delta)
                delta = np.where(values[k - 1] > 0, sent, 0.0)
    return {name: value / X.shape[1] for name, value in total.items()}
"""

JACOBIAN = """
import numpy as np

def probabilities(X, W, b):
    table = []
    for i in range(X.shape[0]):
        score = np.array([np.dot(X[i], W[:, c]) + b[c] for c in range(W.shape[1])])
        top = max(score)
        weight = np.exp(score - top)
        table.append(weight / np.add.reduce(weight))
    return np.vstack(table)

def loss(X, y, W, b, reg):
    P = probabilities(X, W, b)
    hot = np.equal.outer(y, np.arange(P.shape[1])).astype(float)
    return -(hot * np.log(P)).sum(axis=1).mean(axis=0) + reg * np.tensordot(W, W)

def jacobian(p):
    return np.diag(p) - np.outer(p, p)

def gradients(X, y, W, b, reg):
    P = probabilities(X, W, b)
    n = P.shape[0]
    slope_W = np.zeros(W.shape)
    slope_b = np.zeros(b.shape)
    for i, p in enumerate(P):
        upstream = np.zeros(p.shape)
        upstream[y[i]] = -1.0 / p[y[i]]
        down = jacobian(p) @ upstream
        slope_W += np.outer(X[i], down)
        slope_b += down
    return {"dW": slope_W / n + 2.0 * reg * W, "db": slope_b / n}
"""

WINDOWS = """
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

def framed(A, pad):
    return np.pad(A, ((0, 0), (pad, pad), (pad, pad), (0, 0)), constant_values=0.0)

def tiles(B, f, stride):
    return sliding_window_view(B, (f, f), axis=(1, 2))[:, ::stride, ::stride]

def conv_forward(A_prev, W, b, stride, pad):
    cut = tiles(framed(A_prev, pad), W.shape[0], stride)
    return np.einsum("nrsiuv,uvio->nrso", cut, W) + b

def conv_backward(dZ, A_prev, W, b, stride, pad):
    B = framed(A_prev, pad)
    f = W.shape[0]
    cut = tiles(B, f, stride)
    dW = np.einsum("nrsiuv,nrso->uvio", cut, dZ)
    shares = np.einsum("uvio,nrso->nrsuvi", W, dZ)
    dB = np.zeros(B.shape)
    for r, s in np.ndindex(dZ.shape[1:3]):
        rows = np.arange(r * stride, r * stride + f)
        cols = np.arange(s * stride, s * stride + f)
        dB[:, rows[:, None], cols] += shares[:, r, s]
    inner = slice(pad, -pad) if pad else slice(None)
    return {"dA_prev": dB[:, inner, inner], "dW": dW, "db": np.einsum("nrso->o", dZ)}

def pool_backward(dA, A_prev, f, stride):
    dA_prev = np.zeros(A_prev.shape)
    m, rows, cols, channels = dA.shape
    for i in range(m):
        for r in range(rows):
            for s in range(cols):
                u, v = r * stride, s * stride
                part = A_prev[i, u:u + f, v:v + f].reshape(-1, channels)
                best = part.argmax(axis=0)
                for c in range(channels):
                    dA_prev[i, u + best[c] // f, v + best[c] % f, c] += dA[i, r, s, c]
    return dA_prev
"""

GRAPH = """
import numpy as np

class Node:
    def __init__(self, value, parents=()):
        self.value, self.parents, self.slope = value, parents, np.zeros(np.shape(value))

    def send(self, slope):
        self.slope = self.slope + slope

def times(M, v):
    return Node(M.value @ v.value, [(M, lambda s: s @ v.value.T), (v, lambda s: M.value.T @ s)])

def plus(u, v):
    return Node(u.value + v.value, [(u, lambda s: s), (v, lambda s: s)])

def plus_bias(u, c):
    return Node(u.value + c.value, [(u, lambda s: s), (c, lambda s: s.sum(axis=1, keepdims=True))])

def tanh(u):
    out = np.tanh(u.value)
    return Node(out, [(u, lambda s: s * (1 - out * out))])

def graph(x, a0, parameters):
    leaves = {name: Node(value) for name, value in parameters.items()}
    states, h = [], Node(a0)
    order = []
    for t in range(x.shape[2]):
        inner = times(leaves["Waa"], h)
        outer = times(leaves["Wax"], Node(x[:, :, t]))
        both = plus(inner, outer)
        z = plus_bias(both, leaves["ba"])
        h = tanh(z)
        order += [inner, outer, both, z, h]
        states.append(h)
    return leaves, states, order

def forward(x, a0, parameters):
    _, states, _ = graph(x, a0, parameters)
    return np.dstack([h.value for h in states])

def loss(x, a0, parameters, target):
    misses = [(h.value - target[:, :, t]).ravel() for t, h in enumerate(graph(x, a0, parameters)[1])]
    return sum(np.inner(miss, miss) for miss in misses) / 2

def backward(x, a0, parameters, target):
    leaves, states, order = graph(x, a0, parameters)
    for t, h in enumerate(states):
        h.send(h.value - target[:, :, t])
    for node in reversed(order):
        for parent, rule in node.parents:
            parent.send(rule(node.slope))
    return {"d" + name: leaf.slope for name, leaf in leaves.items()}
"""

TABLES = """
import numpy as np

def level(z):
    return 1 / (1 + np.exp(-z))

KINDS = {"f": level, "i": level, "c": np.tanh, "o": level}
SLOPES = {"f": lambda g: g * (1 - g), "i": lambda g: g * (1 - g), "c": lambda g: 1 - g ** 2, "o": lambda g: g * (1 - g)}

def opened(x, h, p):
    below = np.concatenate((h, x))
    return below, {k: kind(p["W" + k] @ below + p["b" + k]) for k, kind in KINDS.items()}

def cell_forward(x, a_prev, c_prev, parameters):
    _, g = opened(x, a_prev, parameters)
    kept = g["f"] * c_prev
    added = g["i"] * g["c"]
    c = kept + added
    return g["o"] * np.tanh(c), c, g["f"], g["i"], g["c"], g["o"]

def cell_backward(da_next, dc_next, x, a_prev, c_prev, parameters):
    below, g = opened(x, a_prev, parameters)
    shown = np.tanh(g["f"] * c_prev + g["i"] * g["c"])
    dc = dc_next + (1 - shown ** 2) * g["o"] * da_next
    dgate = {"f": dc * c_prev, "i": dc * g["c"], "c": dc * g["i"], "o": da_next * shown}
    dz = {k: dgate[k] * SLOPES[k](g[k]) for k in KINDS}
    dbelow = np.zeros(below.shape)
    slopes = {"dc_prev": g["f"] * dc}
    for k in KINDS:
        dbelow += parameters["W" + k].T @ dz[k]
        slopes["dW" + k] = dz[k] @ below.T
        slopes["db" + k] = dz[k] @ np.ones((dz[k].shape[1], 1))
    slopes["da_prev"] = dbelow[:a_prev.shape[0]]
    slopes["dx"] = dbelow[a_prev.shape[0]:]
    return slopes
"""

STATISTICS = """
import numpy as np

def blend(keep, old, new):
    return np.average([old, new], axis=0, weights=[keep, 1 - keep])

def adam(w, dw, v, s, t, learning_rate, beta1, beta2, epsilon):
    v_new = blend(beta1, v, dw)
    s_new = blend(beta2, s, dw ** 2)
    lift1 = 1 / (1 - beta1 ** t)
    lift2 = 1 / (1 - beta2 ** t)
    direction = lift1 * v_new / (np.sqrt(lift2 * s_new) + epsilon)
    return w - learning_rate * direction, v_new, s_new

def momentum(w, dw, v, learning_rate, beta):
    speed = blend(beta, v, dw)
    return w - speed * learning_rate, speed

def dropout_forward(A, D, keep_prob):
    return np.where(D == 1, A / keep_prob, 0.0)

def dropout_backward(dA, D, keep_prob):
    return np.where(D == 1, dA / keep_prob, 0.0)

def moments(x, axis):
    middle = x.sum(axis=axis, keepdims=True) / x.shape[axis]
    width = ((x - middle) ** 2).sum(axis=axis, keepdims=True) / x.shape[axis]
    return middle, width

def batchnorm_forward(x, gamma, beta, eps):
    middle, width = moments(x, 0)
    return (x - middle) * gamma / (width + eps) ** 0.5 + beta

def batchnorm_backward(dout, x, gamma, eps):
    middle, width = moments(x, 0)
    scale = 1 / np.sqrt(width + eps)
    unit = (x - middle) * scale
    dgamma = (unit * dout).sum(axis=0)
    dbeta = dout.sum(axis=0)
    dx = gamma * scale * (dout - dbeta / len(x) - unit * dgamma / len(x))
    return dx, dgamma, dbeta

def layernorm_forward(x, gamma, beta, eps):
    middle, width = moments(x, 1)
    return beta + gamma * ((x - middle) / np.sqrt(eps + width))
"""

STEPS = """
import numpy as np

class Linear:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def go(self, x):
        self.x = x
        return np.matmul(x, self.W) + self.b

    def back(self, slope, reg):
        self.dW = np.matmul(np.transpose(self.x), slope) + reg * self.W
        self.db = np.ones(len(slope)) @ slope
        return np.matmul(slope, np.transpose(self.W))

class Ramp:
    def go(self, x):
        self.gate = np.heaviside(x, 0.0)
        return self.gate * x

    def back(self, slope):
        return self.gate * slope

class Drop:
    def __init__(self, mask, keep):
        self.factor = mask / keep

    def go(self, x):
        return x * self.factor

    def back(self, slope):
        return slope * self.factor

def scores(X, theta):
    first, ramp, second = Linear(theta["W1"], theta["b1"]), Ramp(), Linear(theta["W2"], theta["b2"])
    return second.go(ramp.go(first.go(X)))

def cross_entropy(s, y):
    rows = np.arange(y.shape[0])
    centred = s - np.max(s, axis=-1, keepdims=True)
    norm = np.log(np.sum(np.exp(centred), axis=-1))
    value = np.mean(norm - centred[rows, y])
    slope = np.exp(centred - norm[:, None])
    slope[rows, y] = slope[rows, y] - 1
    return value, slope / y.shape[0]

def run(X, y, mask, theta, reg, keep):
    first, ramp, drop, second = Linear(theta["W1"], theta["b1"]), Ramp(), Drop(mask, keep), Linear(theta["W2"], theta["b2"])
    value, slope = cross_entropy(second.go(drop.go(ramp.go(first.go(X)))), y)
    value += reg / 2 * sum(np.vdot(theta[k], theta[k]) for k in ("W1", "W2"))
    slope = second.back(slope, reg)
    slope = drop.back(slope)
    slope = ramp.back(slope)
    first.back(slope, reg)
    return value, {"W1": first.dW, "b1": first.db, "W2": second.dW, "b2": second.db}
"""

SETS = (
    of(network, "bordered", BORDERED,
       fault(1, "tanh's derivative forgotten", "activation-derivative-missing", bordered=" * (1 + middle) * (1 - middle) => "),
       fault(0, "half of the derivative", "derivative-incomplete", bordered=" * (1 + middle) * (1 - middle) =>  * (1 - middle)"),
       fault(2, "derivative at the activated value", "derivative-at-activated-value", bordered="* (1 + middle) * (1 - middle) => * (1 - np.tanh(middle) ** 2)"),
       fault(3, "derivative of the sigmoid in the middle", "derivative-of-another-activation", bordered="* (1 + middle) * (1 - middle) => * middle * (1 - middle)"),
       fault(8, "never averaged", "factor-m", bordered="error = np.subtract(chance, Y) / count => error = np.subtract(chance, Y)"),
       fault(7, "averaged in both layers", "factor-1-over-m", bordered="error = (parameters[\"W2\"].T @ error) => error = (parameters[\"W2\"].T @ error) / count"),
       fault(20, "averaged over the outputs", "divided-by-wrong-size factor-constant factor-size", bordered="np.subtract(chance, Y) / count => np.subtract(chance, Y) / Y.shape[0]"),
       fault(48, "the sum of the weights", "weight-term-summed", bordered="lambd / count * parameters[\"W%d\" % n] => lambd / count * parameters[\"W%d\" % n].sum()"),
       fault(54, "lambda not averaged in the cost", "regularisation-factor factor-missing divisor-missing", bordered="0.5 * (lambd / count) * => 0.5 * lambd *"),
       fault(50, "the border decays too", "bias-regularised", bordered="whole[:, -1:] => whole[:, -1:] + lambd / count * parameters['b%d' % n]"),
       fault(22, "bias from the weights' slopes", "bias-from-weight-gradient", bordered="whole[:, -1:] => whole[:, :-1].sum(axis=1, keepdims=True)"),
       fault(21, "the border as a flat row", "keepdims-missing", bordered="whole[:, -1:] => whole[:, -1]"),
       fault(81, "weights moved before they are used", "located-error", bordered="error = (parameters[\"W2\"].T @ error) => error = ((parameters[\"W2\"] - 0.3 * slopes['dW2']).T @ error)"),
       fault(43, "the same logarithm twice", "complement-missing", bordered="(1.0 - Y) * np.log(1.0 - A2) => (1.0 - Y) * np.log(A2)"),
       fault(0, "no ones below the output", "bias-missing", bordered="inputs.append(with_ones(middle)) => inputs.append(np.vstack([middle, 0 * middle[:1]]))"),
    ),
    of(deep, "one_by_one", ONE_BY_ONE,
       fault(1, "ReLU's derivative forgotten", "activation-derivative-missing", one_by_one="delta = np.where(values[k - 1] > 0, sent, 0.0) => delta = sent"),
       fault(10, "sigmoid's derivative with the cross-entropy", "output-derivative-extra", one_by_one="delta = values[layers] - Y[:, i] => delta = (values[layers] - Y[:, i]) * values[layers] * (1 - values[layers])"),
       fault(14, "the layer's own values for those below", "", one_by_one="np.outer(delta, values[k - 1]) => np.outer(delta, np.resize(values[k], values[k - 1].size))"),
       fault(15, "the gate of another layer", "derivative-at-another-layer located-error", one_by_one="np.where(values[k - 1] > 0, => np.where(values[k - 1].mean() > 0,"),
       fault(8, "not divided", "factor-m", one_by_one="value / X.shape[1] for name => value for name"),
       fault(0, "divided by m - 1", "divided-by-m-minus-1 factor-constant", one_by_one="value / X.shape[1] for name => value / (X.shape[1] - 1) for name"),
       fault(30, "gradients overwritten by each example", "only-last-example overwritten-not-added", one_by_one=("np.outer(delta, values[k - 1]) => np.outer(delta, values[k - 1])", "total[f\"dW{k}\"] += => total[f\"dW{k}\"] =", "total[f\"db{k}\"] += => total[f\"db{k}\"] =")),
       fault(23, "biases never counted", "all-zero", one_by_one="total[f\"db{k}\"] += delta.reshape(-1, 1) => pass"),
       fault(12, "target minus output", "sign-reversed output-error-reversed", one_by_one="values[layers] - Y[:, i] => Y[:, i] - values[layers]"),
       fault(0, "the last example left out", "last-example-left-out", one_by_one="for i in range(X.shape[1]): => for i in range(X.shape[1] - 1):"),
       fault(0, "another curve at the output", "another-activation", one_by_one="logistic(total) if k == layers else positive(total) => 0.5 + 0.4 * np.tanh(total) if k == layers else positive(total)"),
    ),
    of(softmax, "jacobian", JACOBIAN,
       fault(36, "the diagonal of the Jacobian only", "only-true-class", jacobian="return np.diag(p) - np.outer(p, p) => return np.diag(p - p * p)"),
       fault(12, "sign of the slope of the loss", "sign-reversed output-error-reversed", jacobian="-1.0 / p[y[i]] => 1.0 / p[y[i]]"),
       fault(0, "the slope of the logarithm forgotten", "logarithm-slope-missing", jacobian="-1.0 / p[y[i]] => -1.0"),
       fault(46, "L2 without its 2", "weight-term regularisation-factor", jacobian="2.0 * reg * W => reg * W"),
       fault(56, "largest score of all", "softmax-axis softmax-over-everything summed-over-other-axis summed-without-axis", jacobian="return np.vstack(table) => table = np.vstack(table) * 1.0; return table / table.sum(axis=0)"),
       fault(8, "bias not averaged", "factor-m", jacobian="\"db\": slope_b / n => \"db\": slope_b"),
       fault(47, "L2 without its strength", "weight-term regularisation-strength-missing", jacobian="+ 2.0 * reg * W => + 2.0 * W"),
       fault(52, "biases decay, in loss and gradient", "bias-in-penalty", jacobian=("np.tensordot(W, W) => (np.tensordot(W, W) + np.dot(b, b))", "slope_b / n => slope_b / n + 2 * reg * b")),
    ),
    of(conv, "windows", WINDOWS,
       fault(25, "overlap assigned", "overwritten-not-added", windows="dB[:, rows[:, None], cols] += => dB[:, rows[:, None], cols] ="),
       fault(26, "stride forgotten on the way back", "stride-ignored", windows=("np.arange(r * stride, r * stride + f) => np.arange(r, r + f)", "np.arange(s * stride, s * stride + f) => np.arange(s, s + f)")),
       fault(0, "kernel flipped", "", windows="cut = tiles(framed(A_prev, pad), W.shape[0], stride) => cut = tiles(framed(A_prev, pad), W.shape[0], stride)[..., ::-1, ::-1]"),
       fault(18, "one bias slope for all channels", "summed-over-all", windows="np.einsum(\"nrso->o\", dZ) => np.full(b.shape, dZ.sum())"),
       fault(25, "pooling overwrites", "overwritten-not-added", windows="% f, c] += dA => % f, c] = dA"),
       fault(0, "pooling with another stride", "stride-ignored", windows="u, v = r * stride, s * stride => u, v = r, s"),
    ),
    of(recurrent, "graph", GRAPH,
       fault(40, "a used-twice value keeps the last slope", "overwritten-not-added", graph="self.slope = self.slope + slope => self.slope = slope"),
       fault(1, "tanh's derivative forgotten", "activation-derivative-missing", graph="lambda s: s * (1 - out * out) => lambda s: s"),
       fault(0, "transpose forgotten", "transpose-missing", graph="lambda s: M.value.T @ s => lambda s: (M.value if len(M.value) == len(M.value.T) else M.value.T) @ s"),
       fault(29, "the state is cut off from the past", "recurrent-gradient-missing", graph="inner = times(leaves[\"Waa\"], h) => inner = times(leaves[\"Waa\"], Node(h.value))"),
       fault(0, "the bias counted twice", "factor-2", graph="s.sum(axis=1, keepdims=True) => s.sum(axis=1, keepdims=True) * 2"),
       fault(12, "error reversed", "sign-reversed output-error-reversed", graph="h.send(h.value - target[:, :, t]) => h.send(target[:, :, t] - h.value)"),
    ),
    of(lstm, "tables", TABLES,
       fault(3, "every gate with the sigmoid's slope", "derivative-of-another-activation", tables="\"c\": lambda g: 1 - g ** 2 => \"c\": lambda g: g * (1 - g)"),
       fault(31, "forget gate's path alone", "term-missing recurrent-gradient-missing", tables="dc_next + (1 - shown ** 2) * g[\"o\"] * da_next => dc_next"),
       fault(0, "gates of candidate and input exchanged", "another-variable gradient-of-another-layer", tables="\"i\": dc * g[\"c\"], \"c\": dc * g[\"i\"] => \"i\": dc * g[\"i\"], \"c\": dc * g[\"c\"]"),
       fault(0, "the outputs' slope without tanh", "activation-missing factor-missing", tables="\"o\": da_next * shown => \"o\": da_next"),
       fault(0, "forgets the candidate's share", "term-missing", tables="c = kept + added => c = kept"),
       fault(18, "one bias slope for each gate", "summed-over-all", tables="dz[k] @ np.ones((dz[k].shape[1], 1)) => np.full(parameters['b' + k].shape, dz[k].sum())"),
    ),
    of(training, "statistics", STATISTICS,
       fault(84, "no correction at all", "bias-correction-missing", statistics=("lift1 = 1 / (1 - beta1 ** t) => lift1 = 1", "lift2 = 1 / (1 - beta2 ** t) => lift2 = 1")),
       fault(85, "the first beta for both", "another-variable", statistics="s_new = blend(beta2, s, dw ** 2) => s_new = blend(beta1, s, dw ** 2)"),
       fault(0, "the gradient not squared", "power-missing another-variable", statistics="blend(beta2, s, dw ** 2) => blend(beta2, s, np.abs(dw))"),
       fault(79, "uphill", "step-uphill", statistics="return w - speed * learning_rate => return w + speed * learning_rate"),
       fault(0, "beta on the wrong side", "shares-exchanged", statistics="speed = blend(beta, v, dw) => speed = blend(1 - beta, v, dw)"),
       fault(101, "not rescaled", "mask-not-rescaled", statistics="np.where(D == 1, A / keep_prob, 0.0) => np.where(D == 1, A, 0.0)"),
       fault(33, "mean and variance held constant", "one-term-left", statistics="(dout - dbeta / len(x) - unit * dgamma / len(x)) => dout"),
       fault(35, "over the batch", "summed-over-other-axis", statistics="middle, width = moments(x, 1) => middle, width = moments(x, 0)"),
       fault(0, "divided by n - 1", "divided-by-m-minus-1", statistics="keepdims=True) / x.shape[axis]\n    return => keepdims=True) / (x.shape[axis] - 1)\n    return"),
       fault(0, "momentum without its old speed", "another-variable", statistics="speed = blend(beta, v, dw) => speed = dw"),
    ),
    of(classifier, "steps", STEPS,
       fault(1, "ReLU lets everything back", "activation-derivative-missing", steps="return self.gate * slope => return slope"),
       fault(42, "mask forgotten on the way back", "mask-not-applied", steps=("self.factor = mask / keep => self.keep, self.factor = keep, mask / keep", "return slope * self.factor => return slope / self.keep")),
       fault(6, "the weights' slope passed back", "gradient-for-parameter located-error", steps="np.matmul(slope, np.transpose(self.W)) => np.matmul(slope, np.transpose(self.dW))"),
       fault(19, "bias averaged again", "factor-1-over-m", steps="np.ones(len(slope)) @ slope => slope.mean(axis=0)"),
       fault(36, "the label not subtracted", "target-not-subtracted step-left-out", steps="slope[rows, y] = slope[rows, y] - 1 => pass"),
       fault(53, "no decay below", "weight-term regularisation-missing", steps="first.back(slope, reg) => first.back(slope, 0.0)"),
       fault(0, "dropout undone before the ramp", "mask-not-applied mask-not-rescaled step-left-out located-error another-variable", steps="slope = drop.back(slope) => pass"),
    ),
)  # fmt: skip

RIGHT = {
    "bordered": (
        "np.einsum(\"ij->\", wrongness) => wrongness.sum()", "(1 + middle) * (1 - middle) => (1 - np.square(middle))",
        "np.tanh(bordered(p, 1) @ inputs[0]) => 2 / (1 + np.exp(-2 * (bordered(p, 1) @ inputs[0]))) - 1",
        "np.subtract(chance, Y) / count => -(Y - chance) / count", "whole[:, -1:] => error.sum(axis=1, keepdims=True)",
        "(1 + middle) * (1 - middle) => 1 / np.cosh(np.arctanh(middle)) ** 2",
    ),
    "one_by_one": (
        "np.where(values[k - 1] > 0, sent, 0.0) => sent * (values[k - 1] != 0)", "values[layers] - Y[:, i] => -(Y[:, i] / values[layers] - (1 - Y[:, i]) / (1 - values[layers])) * values[layers] * (1 - values[layers])",
        "bill -= np.log(a) if y == 1 else np.log(1.0 - a) => bill -= np.log(a ** y * (1 - a) ** (1 - y))", "for i in range(X.shape[1]): => for i in reversed(range(X.shape[1])):",
        "np.outer(delta, values[k - 1]) => delta[:, None] * values[k - 1][None, :]",
    ),
    "jacobian": (
        "down = jacobian(p) @ upstream => down = p - (np.arange(p.size) == y[i])", "top = max(score) => top = np.mean(score)", "np.tensordot(W, W) => np.trace(W.T @ W)",
        "slope_W / n + 2.0 * reg * W => (slope_W + 2.0 * n * reg * W) / n", ".sum(axis=1).mean(axis=0) => .sum() / len(y)",
    ),
    "windows": (
        "np.einsum(\"nrso->o\", dZ) => dZ.reshape(-1, dZ.shape[-1]).sum(axis=0)", "dB[:, rows[:, None], cols] += shares[:, r, s] => np.add.at(dB, (slice(None), rows[:, None], cols), shares[:, r, s])",
        "best = part.argmax(axis=0) => best = (part == part.max(axis=0)).argmax(axis=0)", "W) + b => W) + b[None, None, None, :]",
    ),
    "graph": (
        "self.slope = self.slope + slope => self.slope += slope", "s * (1 - out * out) => s / np.cosh(u.value) ** 2", "np.dstack([h.value for h in states]) => np.stack([h.value for h in states], axis=-1)",
        "/ 2\n\ndef backward => * 0.5\n\ndef backward", "s.sum(axis=1, keepdims=True) => s @ np.ones((s.shape[1], 1))",
    ),
    "tables": (
        "\"c\": lambda g: 1 - g ** 2 => \"c\": lambda g: (1 - g) * (1 + g)", "return 1 / (1 + np.exp(-z)) => return 0.5 * (1 + np.tanh(z / 2))", "dz[k] @ np.ones((dz[k].shape[1], 1)) => dz[k].sum(1)[:, None]",
        "(1 - shown ** 2) * g[\"o\"] * da_next => g[\"o\"] * da_next - g[\"o\"] * da_next * shown ** 2",
    ),
    "statistics": (
        "np.average([old, new], axis=0, weights=[keep, 1 - keep]) => old + (1 - keep) * (new - old)", "np.where(D == 1, dA / keep_prob, 0.0) => D * dA / keep_prob",
        "gamma * scale * (dout - dbeta / len(x) - unit * dgamma / len(x)) => gamma * scale / len(x) * (len(x) * dout - dbeta - unit * dgamma)", "((x - middle) ** 2).sum(axis=axis, keepdims=True) => np.square(x - middle).sum(axis=axis, keepdims=True)",
        "return w - speed * learning_rate => return w + (-learning_rate) * speed",
    ),
    "steps": (
        "np.heaviside(x, 0.0) => (x > 0).astype(float)", "np.ones(len(slope)) @ slope => slope.sum(axis=0)", "np.mean(norm - centred[rows, y]) => -np.log(np.exp(centred - norm[:, None])[rows, y]).mean()",
        "slope[rows, y] = slope[rows, y] - 1 => np.subtract.at(slope, (rows, y), 1)", "reg / 2 * sum(np.vdot(theta[k], theta[k]) for k in (\"W1\", \"W2\")) => sum(reg * (theta[k] ** 2).sum() / 2 for k in theta if k[0] == 'W')",
        "centred = s - np.max(s, axis=-1, keepdims=True) => centred = s * 1.0",
    ),
}  # fmt: skip
"""Changes that keep a program right, by style."""
