"""Workers in virtual time as a discrete-event loop with a queue of absolute times.

One world, plain Python, imports nothing of ours.
"""

import heapq
import math


def service_time(kind, u, scale=1.0, offset=0.0, shape=2.0):
    if kind == "constant":
        return scale
    if kind == "exponential":
        return -scale * math.log(1 - u)
    if kind == "shifted_exponential":
        return offset - scale * math.log(1 - u)
    return scale / (1 - u) ** (1 / shape)


def events(first, later):
    """Who finishes, when, and how many events after it began.

    `first` holds the first service times, `later(step)` gives that after event `step`.
    """
    queue = [(time, worker, 0) for worker, time in enumerate(first)]
    heapq.heapify(queue)
    step = 0
    while True:
        now, worker, began = heapq.heappop(queue)
        yield worker, now, step - began
        step += 1
        heapq.heappush(queue, (now + later(step), worker, step))


def stale_descent(x, gradient, order, rate, momentum=0.0, aware=False):
    """The points after each of the events `order` (worker, staleness): each gradient is taken where its worker last read."""
    path, velocity = [x], 0.0
    for _, stale in order:
        slope = gradient(path[-1 - stale]) / (max(1, stale) if aware else 1)
        velocity = momentum * velocity + slope
        path.append(path[-1] - rate * velocity)
    return path


def first_to_finish(times, count):
    """Which are the first `count`, and when the last of these has finished."""
    ordered = sorted(range(len(times)), key=lambda i: (times[i], i))[:count]
    return sorted(ordered), times[ordered[-1]]
