"""Steps of a search as one compiled graph, with the bits that they have without.

A step is traced once: what it computes depends on its state and on its number alone, and nothing in it asks
for a number (`landscapes.operators`). torch's inductor joins those operations that IEEE 754 rounds correctly,
one by one, so that no order or contraction could change a bit: sums, products of matrices, exponentials and
the like stay the kernels that they are. The first compiled step is held against the same step without; where
a bit differs, or a step cannot be traced, the search goes on as it began.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple
from unittest import mock

import torch
from torch import Tensor
from torch.fx import GraphModule, Node
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten

from landscapes.base import Answer, Query
from landscapes.oracle.oracle import Oracle
from landscapes.streams import Streams, with_operators
from optimizers.base import Info, Optimizer, State
from studies.cells.trees import difference
from studies.text.schema import SECONDS

TAG = "two_descents"  # of what is kept on disk: it was lowered in our way
# operations whose every result is rounded correctly, or which only move numbers
JOINED = frozenset(
    """
    abs add alias all amax amin any arange argmax argmin as_strided bitwise_and bitwise_left_shift
    bitwise_not bitwise_or bitwise_right_shift bitwise_xor broadcast_in_dim cat ceil clamp clamp_max
    clamp_min clone constant_pad_nd convert_element_type copy detach div empty eq expand fill flip floor
    full full_like gather ge gt index index_select iota isinf isnan le lift_fresh_copy logical_and
    logical_not logical_or logical_xor lt masked_fill maximum minimum mul ne neg new_empty new_full
    ones_like permute repeat reshape scalar_tensor select select_scatter sign slice slice_scatter split
    squeeze stack sub trunc unbind unsqueeze view where zeros_like _to_copy _unsafe_view
    """.split()
)
WORTH = 60.0  # seconds of steps, of which a graph saves half; it takes 5 to 40 to make
TRACED = object()  # what a graph gives; all else of a step is the same in every one


class Step(NamedTuple):
    """What a step leaves."""

    state: State
    query: Query
    answer: Answer
    info: Info


class UntracedError(Exception):
    """A step that cannot be compiled, and why."""


def taken(optimizer: Optimizer, oracle: Oracle, state: State, streams: Streams) -> Step:
    """A step that is not billed yet; streams at it."""
    query = optimizer.ask(state, streams)
    answer = oracle.answered(query, streams)
    after, info = optimizer.tell(state, query, answer, streams)
    return Step(after, query, answer, info)


class Graph:
    """The compiled step of a search.

    Args:
        optimizer: whose search it is.
        oracle: whose answers do not vary (`Oracle.varies`).
        streams: of the worlds.
        state: at any step.

    Raises:
        UntracedError: the step cannot be traced, or no compiler is there.
    """

    def __init__(self, optimizer: Optimizer, oracle: Oracle, streams: Streams, state: State) -> None:
        leaves, form = tree_flatten(state)
        if not all(isinstance(leaf, Tensor) for leaf in leaves):
            raise UntracedError("its state holds more than tensors")
        self.form: TreeSpec
        self.fixed: list[object]
        self.law = oracle.landscape.fitness_law
        drawn = with_operators(streams)

        def step(number: Tensor, *leaves: Tensor) -> list[Tensor]:
            made = taken(optimizer, oracle, tree_unflatten(leaves, form), drawn.at(number))
            parts, self.form = tree_flatten(made._replace(answer=made.answer._replace(law=None)))
            self.fixed = [TRACED if isinstance(part, Tensor) else part for part in parts]
            return [part for part in parts if isinstance(part, Tensor)]

        # two that are one tensor now, as zeros at a start are, need not stay one
        self.device = streams.device
        inputs = [
            self._number(1),
            *(leaf.clone(memory_format=torch.contiguous_format) for leaf in leaves),
        ]
        with _reasons():
            module, self.tables = _lifted(_traced(step, inputs))
            self.step = _compiled(module, [*self.tables, *inputs])

    def __call__(self, state: State, number: int) -> Step:
        """The step of this number, from a state."""
        leaves = [leaf.contiguous() for leaf in tree_flatten(state)[0]]
        made = iter(self.step(*self.tables, self._number(number), *leaves))
        parts = [next(made) if part is TRACED else part for part in self.fixed]
        step: Step = tree_unflatten(parts, self.form)
        return step._replace(answer=step.answer._replace(law=self.law))

    def _number(self, step: int) -> Tensor:
        return torch.tensor([step], device=self.device)


@contextlib.contextmanager
def _reasons() -> Iterator[None]:
    """Whatever goes wrong is why there is no graph."""
    try:
        yield
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        raise UntracedError(f"{type(error).__name__}: {first}") from error


def _traced(step: Callable, inputs: Sequence[Tensor]) -> GraphModule:
    from torch.fx.experimental.proxy_tensor import make_fx

    return make_fx(step, tracing_mode="fake", _allow_non_fake_inputs=True)(*inputs)


def _lifted(module: GraphModule) -> tuple[GraphModule, list[Tensor]]:
    """The graph with the tensors that it holds, such as tables of a landscape, as its first inputs.

    So that what was compiled for some worlds is found again for others.
    """
    held = [node for node in module.graph.nodes if node.op == "get_attr"]
    tables: dict[str, Node] = {}
    with module.graph.inserting_before(next(iter(module.graph.nodes))):
        for node in held:
            if node.target not in tables:
                tables[node.target] = module.graph.placeholder(f"table_{len(tables)}")
                tables[node.target].meta = dict(node.meta)
    for node in held:
        node.replace_all_uses_with(tables[node.target])
        module.graph.erase_node(node)
    values = [getattr(module, name) for name in tables]
    module.recompile()
    return module, values


def _compiled(module: GraphModule, inputs: Sequence[Tensor]) -> Callable[..., Sequence[Tensor]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of its own parts
        import torch._inductor
        from torch._inductor import config, lowering

        handlers = {
            operation: lowering.fallback_handler(operation, add_to_fallback_set=False)
            for operation in lowering.lowerings
            if _rounds(operation) and operation not in lowering.fallbacks
        }
        with (
            config.patch(compile_threads=1),
            torch.compiler.config.patch(cache_key_tag=TAG),  # type: ignore[attr-defined]
            mock.patch.dict(lowering.lowerings, handlers),
        ):
            return torch._inductor.compile(module, list(inputs))


def _rounds(operation: object) -> bool:
    """Whether a bit of what an operation of torch gives may depend on how it is computed."""
    if not isinstance(operation, torch._ops.OpOverload):
        return False
    space, name = operation._schema.name.split("::")
    return space in ("aten", "prims") and name not in JOINED and name.rstrip("_") not in JOINED


def checked(graph: Graph, state: State, number: int, plain: Step) -> Graph:
    """The graph, if its step has the bits of the plain one.

    Raises:
        UntracedError: it has not.
    """
    with _reasons():
        made = graph(state, number)
    parts = zip(("state", "query", "answer", "info"), made, plain, strict=True)
    for name, ours, theirs in parts:
        if difference(ours, theirs, rounding=False):
            raise UntracedError(f"another bit in {name}.{difference(ours, theirs, rounding=False)}")
    return graph


class Compiling:
    """When the steps of a search become a graph.

    Args:
        mode: on, after the first step; auto, once so many seconds of steps are left that it pays; off.
        optimizer: whose search it is.
        oracle: that it asks.
        streams: of the worlds.
    """

    def __init__(self, mode: str, optimizer: Optimizer, oracle: Oracle, streams: Streams) -> None:
        self.parts = optimizer, oracle, streams
        self.mode, self.outcome = mode, ""
        self.graph: Graph | None = None
        if mode != "off":
            self._refuse(_reason(optimizer, oracle))

    def due(self, number: int, seconds: float) -> bool:
        """Whether to compile, after so many steps that took so many seconds."""
        return self.mode == "on" or (self.mode == "auto" and self._pays(number, seconds))

    def compile(self, before: State, number: int, plain: Step) -> None:
        """Compile the step of this number, and hold it against what it left, from the state before it."""
        try:
            self.graph = checked(Graph(*self.parts, before), before, number, plain)
            self.outcome = f"after step {number}"
        except UntracedError as error:
            self._refuse(str(error))

    def _refuse(self, reason: str) -> None:
        """Note why nothing is compiled, if there is a reason."""
        if reason:
            self.mode, self.outcome = "off", f"no: {reason}"

    def _pays(self, number: int, seconds: float) -> bool:
        """Whether steps of `WORTH` seconds are left; looked at after 64, 128, 256, .. steps."""
        bill = self.parts[1].bill
        if number < 64 or number & (number - 1) or bill.clock == SECONDS:  # noqa: PLR2004
            return False
        done = (bill.now / bill.budget)[bill.alive].min(initial=1.0)
        return seconds * (1 - done) > WORTH * done


def _reason(optimizer: Optimizer, oracle: Oracle) -> str:
    """Why the steps of a search cannot be one graph; "": it can be tried."""
    if not (isinstance(optimizer, Optimizer) and type(oracle) is Oracle):
        return "code of the user's is looked at in every step"
    if optimizer.libraries:
        return "another library takes the steps"
    varies = oracle.varies(batches=optimizer.batches)
    return f"answers depend on {varies}" if varies else ""
