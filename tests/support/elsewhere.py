"""Draws as they are made on another device than the CPU, on tensors of the CPU."""

from torch.utils._python_dispatch import TorchDispatchMode

from landscapes.operators import MADE

DEVICES = {"plain torch": "CompositeExplicitAutograd", "Triton": "CUDA"}


class Elsewhere(TorchDispatchMode):
    """While it is on, operators of ours are those of a device of `DEVICES`; `called` lists them."""

    def __init__(self, device):
        super().__init__()
        self.device, self.called = DEVICES[device], []

    def __torch_dispatch__(self, function, types, args=(), words=None):
        if function.namespace != "two_descents":
            return function(*args, **words or {})
        self.called.append(function)
        name = function._schema.name.removeprefix("two_descents::")
        return MADE[name][self.device](*args, **words or {})
