"""Settings of made-up results: what an arm is said to have run with."""

import itertools
import json


def stored(landscapes, optimizers=None, price=3.0, axes=None, also=None, draws=()):
    """The attribute `settings` (JSON) of these landscapes and optimizers, label -> parameters.

    Args:
        landscapes: label -> parameters.
        optimizers: likewise.
        price: of a gradient, a number or as `priced` gives it.
        axes: name -> values.
        also: place on the axes -> group -> what differs there.
        draws: the sources that their steps draw from.
    """
    arms, tasks = [], []
    for place in itertools.product(*(axes or {}).values()):
        there = dict(zip(axes or {}, place, strict=True))
        more = also(there) if also else {}
        for (name, landscape), (label, optimizer) in itertools.product(
            landscapes.items(), (optimizers or {"SGD": {"kind": "sgd"}}).items()
        ):
            arms.append({
                "coords": {"landscape": name, "optimizer": label} | there,
                "label": label,
                "task": len(tasks),
            })
            ran = {
                "budget": 100.0,
                "gradient_cost": price if isinstance(price, dict) else priced(price),
            } | more.get("study", {})
            tasks.append({
                "landscape": landscape,
                "optimizer": optimizer,
                "noise": more.get("noise", {}),
                "oracle": {},
                "study": ran,
                "draws": list(draws),
            })
    return json.dumps({"arms": arms, "tasks": tasks})


def priced(value, low=None, high=None):
    """A price of a gradient as it is stored."""
    return {
        "value": value,
        "low": value if low is None else low,
        "high": value if high is None else high,
    }


def changed(dataset, change):
    """The results with other landscapes in their settings.

    `change(label, parameters)` gives the parameters.
    """
    found = json.loads(dataset.attrs["settings"])
    labels = {arm["task"]: arm["coords"]["landscape"] for arm in found["arms"]}
    for number, task in enumerate(found["tasks"]):
        task["landscape"] = change(labels[number], task["landscape"])
    return dataset.assign_attrs(settings=json.dumps(found))
