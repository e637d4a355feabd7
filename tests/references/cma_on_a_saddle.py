"""CMA-ES by the tutorial (Hansen 2016, arXiv:1604.00772) on x^2 - y^2, from the saddle, in many worlds at once.

It imports nothing of ours. The loss is the same at all scales, so that each step is measured in units of the
spread along the fall, sigma sqrt(C_yy), whose growth is what is asked for.
"""

import numpy as np

D = 2
LENGTH = np.sqrt(np.pi / 2)  # E |N(0, I)| in two dimensions


def constants(size):
    """-> weights (size,), parents, mu_eff, and c_sigma, d_sigma, c_c, c_1, c_mu of table 1."""
    raw = np.log((size + 1) / 2) - np.log(np.arange(1, size + 1))
    up, down = raw[: size // 2], raw[size // 2 :]
    mu, minus = up.sum() ** 2 / (up**2).sum(), down.sum() ** 2 / (down**2).sum()
    cs = (mu + 2) / (D + mu + 5)
    ds = 1 + 2 * max(0, np.sqrt((mu - 1) / (D + 1)) - 1) + cs
    cc = (4 + mu / D) / (D + 4 + 2 * mu / D)
    c1 = min(1, size / 6) * 2 / ((D + 1.3) ** 2 + mu)
    cmu = min(1 - c1, 2 * (mu - 2 + 1 / mu + 0.25) / ((D + 2) ** 2 + mu))
    scale = min(1 + c1 / cmu, 1 + 2 * minus / (mu + 2), (1 - c1 - cmu) / (D * cmu))
    weights = np.concatenate([up / up.sum(), scale * down / -down.sum()])
    return weights, len(up), mu, cs, ds, cc, c1, cmu


def growth(size, steps, worlds, seed):
    """-> log of the growth of the spread, (steps, worlds), and y after the first step over sigma, (worlds,)."""
    draws, (w, half, mu, cs, ds, cc, c1, cmu) = np.random.default_rng(seed), constants(size)
    m, ps, pc = np.zeros((3, worlds, D))
    c = np.tile(np.eye(D), (worlds, 1, 1))
    grown, first = [], None
    for step in range(steps):
        values, basis = np.linalg.eigh(c)
        z = draws.standard_normal((worlds, size, D))
        y = (z * np.sqrt(values)[:, None]) @ basis.transpose(0, 2, 1)
        x = m[:, None] + y
        order = np.argsort(x[..., 0] ** 2 - x[..., 1] ** 2, 1)[..., None]
        y, z = np.take_along_axis(y, order, 1), np.take_along_axis(z, order, 1)
        shift, white = w[:half] @ y[:, :half], basis @ (w[:half] @ z[:, :half])[..., None]
        m = m + shift
        first = m[:, 1] if first is None else first
        ps = (1 - cs) * ps + np.sqrt(cs * (2 - cs) * mu) * white[..., 0]
        norm = np.linalg.norm(ps, axis=1)
        far = np.sqrt(1 - (1 - cs) ** (2 * (step + 1))) * (1.4 + 2 / (D + 1)) * LENGTH
        h = (norm < far)[:, None]
        pc = (1 - cc) * pc + h * np.sqrt(cc * (2 - cc) * mu) * shift
        cut = np.where(np.arange(size) < half, w, w * D / (z**2).sum(-1))
        keep = 1 + c1 * (1 - h) * cc * (2 - cc) - c1 - cmu * w.sum()
        path = c1 * pc[:, :, None] * pc[:, None]
        c = keep[..., None] * c + path + cmu * (cut[..., None] * y).transpose(0, 2, 1) @ y
        side = np.sqrt(c[:, 1, 1])
        spread = np.exp(cs / ds * (norm / LENGTH - 1)) * side
        grown.append(np.log(spread))
        m, pc, c = m / spread[:, None], pc / side[:, None], c / side[:, None, None] ** 2
    return np.array(grown), first
