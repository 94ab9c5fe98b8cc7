# ruff: noqa: E501 - a patch reads best on one line
"""One convolution with stride and padding, and max-pooling; (m, height, width, channels)."""

import numpy as np
from specimens.rehearsal import match_finding
from specimens.subjects import fault

REFERENCE = """
import numpy as np

def conv_forward(A_prev, W, b, stride, pad):
    m, n_H_prev, n_W_prev, n_C_prev = A_prev.shape
    f, f, n_C_prev, n_C = W.shape
    n_H = (n_H_prev - f + 2 * pad) // stride + 1
    n_W = (n_W_prev - f + 2 * pad) // stride + 1
    Z = np.zeros((m, n_H, n_W, n_C))
    padded = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                top = h * stride
                left = w * stride
                window = padded[i, top:top + f, left:left + f, :]
                for c in range(n_C):
                    Z[i, h, w, c] = np.sum(window * W[:, :, :, c]) + b[c]
    return Z

def conv_backward(dZ, A_prev, W, b, stride, pad):
    m, n_H, n_W, n_C = dZ.shape
    f = W.shape[0]
    padded = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    dpadded = np.zeros(padded.shape)
    dW = np.zeros(W.shape)
    db = np.zeros(b.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                top = h * stride
                left = w * stride
                window = padded[i, top:top + f, left:left + f, :]
                for c in range(n_C):
                    dpadded[i, top:top + f, left:left + f, :] += W[:, :, :, c] * dZ[i, h, w, c]
                    dW[:, :, :, c] += window * dZ[i, h, w, c]
                    db[c] += dZ[i, h, w, c]
    dA_prev = dpadded[:, pad:-pad, pad:-pad, :]
    return {"dA_prev": dA_prev, "dW": dW, "db": db}

def pool_backward(dA, A_prev, f, stride):
    m, n_H, n_W, n_C = dA.shape
    dA_prev = np.zeros(A_prev.shape)
    for i in range(m):
        for h in range(n_H):
            for w in range(n_W):
                top = h * stride
                left = w * stride
                for c in range(n_C):
                    window = A_prev[i, top:top + f, left:left + f, c]
                    mask = window == np.max(window)
                    dA_prev[i, top:top + f, left:left + f, c] += mask * dA[i, h, w, c]
    return dA_prev
"""

EINSUM = """
import numpy as np

def spots(size, f, stride):
    return [k * stride for k in range((size - f) // stride + 1)]

def conv_forward(A_prev, W, b, stride, pad):
    big = np.pad(A_prev, [(0, 0), (pad, pad), (pad, pad), (0, 0)])
    f = len(W)
    rows = []
    for r in spots(big.shape[1], f, stride):
        row = [np.einsum("nhwc,hwck->nk", big[:, r:r + f, s:s + f], W) for s in spots(big.shape[2], f, stride)]
        rows.append(np.stack(row, axis=1))
    return np.stack(rows, axis=1) + b.reshape(1, 1, 1, -1)

def conv_backward(dZ, A_prev, W, b, stride, pad):
    big = np.pad(A_prev, [(0, 0), (pad, pad), (pad, pad), (0, 0)])
    back, f = np.zeros_like(big), len(W)
    dW = np.zeros_like(W)
    for j in range(dZ.shape[1]):
        for k in range(dZ.shape[2]):
            r, s = j * stride, k * stride
            g = dZ[:, j, k, :]
            dW += np.einsum("nhwc,nk->hwck", big[:, r:r + f, s:s + f], g)
            back[:, r:r + f, s:s + f] += np.einsum("hwck,nk->nhwc", W, g)
    H, V = A_prev.shape[1:3]
    return {"dA_prev": back[:, pad:pad + H, pad:pad + V], "dW": dW, "db": dZ.sum(axis=(0, 1, 2))}

def pool_backward(dA, A_prev, f, stride):
    out = np.zeros_like(A_prev)
    for n, j, k, c in np.ndindex(*dA.shape):
        r, s = j * stride, k * stride
        patch = A_prev[n, r:r + f, s:s + f, c]
        place = np.unravel_index(np.argmax(patch), patch.shape)
        out[n, r + place[0], s + place[1], c] += dA[n, j, k, c]
    return out
"""

WHILE = """
import numpy as np

def padded_with_zeros(a, p):
    out = np.zeros((a.shape[0], a.shape[1] + 2 * p, a.shape[2] + 2 * p, a.shape[3]))
    out[:, p:p + a.shape[1], p:p + a.shape[2], :] = a
    return out

def at(a, i, y, x, f):
    return a[i, y:y + f, x:x + f, :]

def conv_forward(A_prev, W, b, stride, pad):
    f, big, answer = W.shape[1], padded_with_zeros(A_prev, pad), []
    for i in range(len(A_prev)):
        picture, y = [], 0
        while y + f <= big.shape[1]:
            line, x = [], 0
            while x + f <= big.shape[2]:
                line.append(np.tensordot(at(big, i, y, x, f), W, axes=3) + b)
                x += stride
            picture.append(line)
            y += stride
        answer.append(picture)
    return np.array(answer)

def conv_backward(dZ, A_prev, W, b, stride, pad):
    f, big = W.shape[1], padded_with_zeros(A_prev, pad)
    gx, gW, gb = 0 * big, 0 * W, 0 * b
    for i, j, k, c in np.ndindex(dZ.shape):
        e, y, x = dZ[i, j, k, c], stride * j, stride * k
        gW[..., c] += e * at(big, i, y, x, f)
        gx[i, y:y + f, x:x + f, :] += e * W[..., c]
        gb[c] += e
    return {"dA_prev": gx[:, pad:gx.shape[1] - pad, pad:gx.shape[2] - pad, :], "dW": gW, "db": gb}

def pool_backward(dA, A_prev, f, stride):
    g = 0 * A_prev
    for i, j, k, c in np.ndindex(dA.shape):
        y, x = stride * j, stride * k
        w = A_prev[i, y:y + f, x:x + f, c]
        hit = (w >= w.max()).astype(float)
        g[i, y:y + f, x:x + f, c] += dA[i, j, k, c] * hit
    return g
"""

STYLES = {"einsum": EINSUM, "ndindex": WHILE}

rng = np.random.default_rng(9)
IMAGES = rng.normal(size=(2, 7, 5, 3))
W = rng.normal(size=(3, 3, 3, 4))
b = rng.normal(size=4)
ERROR = rng.normal(size=(2, 4, 3, 4))
POOLED = rng.normal(size=(2, 3, 2, 3))


def tests(student, reference):
    """Forward, backward and pooling against the reference; windows overlap."""
    return [
        lambda: match_finding(student.conv_forward, reference.conv_forward, IMAGES, W, b, 2, 1),
        lambda: match_finding(student.conv_backward, reference.conv_backward, ERROR, IMAGES, W, b, 2, 1),
        lambda: match_finding(student.pool_backward, reference.pool_backward, POOLED, IMAGES, 3, 2),
    ]


FAULTS = [
    fault(25, "overlap assigned, not added", "overwritten-not-added",
          einsum="back[:, r:r + f, s:s + f] += np.einsum => back[:, r:r + f, s:s + f] = np.einsum"),
    fault(25, "overlap assigned in pooling", "overwritten-not-added", ndindex="g[i, y:y + f, x:x + f, c] += dA => g[i, y:y + f, x:x + f, c] = dA"),
    fault(26, "stride ignored in backward", "stride-ignored",
          einsum="r, s = j * stride, k * stride\n            g => r, s = j, k\n            g", ndindex="e, y, x = dZ[i, j, k, c], stride * j, stride * k => e, y, x = dZ[i, j, k, c], j, k"),
    fault(26, "stride ignored along one axis", "stride-ignored", einsum="r, s = j * stride, k * stride\n            g => r, s = j, k * stride\n            g", ndindex="stride * j, stride * k\n        gW => j, stride * k\n        gW"),
    fault(27, "bias inside the window sum", "term-inside-the-sum", ndindex="np.tensordot(at(big, i, y, x, f), W, axes=3) + b => np.tensordot(at(big, i, y, x, f), W, axes=3) + f * f * W.shape[2] * b", einsum="+ b.reshape(1, 1, 1, -1) => + f * f * W.shape[2] * b.reshape(1, 1, 1, -1)"),
    fault(0, "bias forgotten", "bias-missing", einsum=" + b.reshape(1, 1, 1, -1) => ", ndindex="axes=3) + b => axes=3)"),
    fault(23, "bias gradient zero", "all-zero", einsum="dZ.sum(axis=(0, 1, 2)) => 0 * b", ndindex="gb[c] += e => pass"),
    fault(25, "bias gradient overwritten", "overwritten-not-added", einsum="dZ.sum(axis=(0, 1, 2)) => dZ[-1, -1, -1]", ndindex="gb[c] += e => gb[c] = e"),
    fault(25, "weight gradient overwritten", "overwritten-not-added", einsum="dW += np.einsum(\"nhwc,nk->hwck\", big[:, r:r + f, s:s + f], g) => dW = np.einsum(\"hwc,k->hwck\", big[-1, r:r + f, s:s + f], g[-1])", ndindex="gW[..., c] += e => gW[..., c] = e"),
    fault(8, "averaged over the images", "factor-m factor-1-over-m factor-half", einsum="\"db\": dZ.sum(axis=(0, 1, 2)) => \"db\": dZ.sum(axis=(0, 1, 2)) / 2"),
    fault(0, "pooling: smallest entry", "minimum-for-maximum comparison-reversed", einsum="np.argmax(patch) => np.argmin(patch)", ndindex="w >= w.max() => w <= w.min()"),
    fault(0, "pooling: every entry gets it", "mask-not-applied factor-missing", ndindex="dA[i, j, k, c] * hit => dA[i, j, k, c]"),
]  # fmt: skip
