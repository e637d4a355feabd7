"""A function of the user's in an expression: `module:function`, called with the names that are its arguments.

What breaks its contract is refused in one line. Its shape is looked at in every call; at the first ones, and
then ever more rarely, it is also seen that it changes nothing that it is given, draws from no global
generator, and gives a world alone what it gives it among others.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from studies.cells import contract
from studies.cells.contract import Given, Method, PluginError, Unchanged, thorough
from studies.cells.generators import Generators
from studies.cells.trees import rows_of, tensors
from studies.text.formulas import function_at, needed
from studies.text.shapes import Data
from studies.text.user_code import one_line


class OwnFunction:
    """A function of the user's, and how often it was called.

    Args:
        path: its import path.

    Raises:
        ValueError: there is none.
    """  # noqa: DOC502

    def __init__(self, path: str) -> None:
        self.path = path
        self.function = function_at(path)
        self.calls = 0
        owner = inspect.getmodule(self.function) or self.function
        self.method = Method(owner, path.partition(":")[2])

    @staticmethod
    @functools.cache
    def at(path: str) -> OwnFunction:
        """That of an import path."""
        return OwnFunction(path)

    @property
    def arguments(self) -> list[str]:
        """The names that it cannot do without."""
        return needed(self.function)

    def __call__(self, named: Callable[[str], Given]) -> Tensor:
        """Its numbers of R worlds.

        Args:
            named: gives the value of an argument by its name.

        Raises:
            PluginError: it breaks its contract.
        """
        given = {name: named(name) for name in self.arguments}
        self.calls += 1
        return self._held(given) if thorough(self.calls) else self._called(given)

    def _called(self, given: Data) -> Tensor:
        try:
            result = self.function(**given)
        except (Exception, SystemExit) as error:
            raise PluginError(f"{self.path}: {one_line(error)}") from error
        worlds = len(_first(given))
        contract.check_tensor(self.method, "what it returns", result, None)
        if result.ndim not in (1, 2) or len(result) != worlds:
            raise self.method.broken(
                f"expected numbers (R,) = ({worlds},) or (R, n), got {tuple(result.shape)}"
            )
        return result

    def _held(self, given: Data) -> Tensor:
        """The same, held to all that it promises."""
        call, device = functools.partial(self._called, given), _first(given).device
        unchanged = Unchanged(self.method, given, thorough=True)
        generators = Generators.now(device)
        result = call()
        unchanged.check()
        if generators.moved(Generators.now(device)):
            contract.draws_nothing(self.method, call, device)
        row = self.calls % len(result)
        alone = functools.partial(self._called, rows_of(given, [row]))
        contract.alone_as_in_batch(self.method, call, alone, row, result)
        return result


def _first(given: Mapping[str, Given]) -> Tensor:
    """The first tensor of the arguments: its first axis is that of the worlds."""
    return next((tensor for _, tensor in tensors(given)), torch.zeros(0))
