"""What `make mutants` changes in a module, one place at a time: its syntax tree in, mutations out.

The operators are chosen for modules that decide: comparisons, conditions and their parts, truth
values, numbers, words, members of enumerations and cells of tables, steps, statements, results.
Annotations, docstrings, decorators and sentences for people are left alone.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

SKIPPED_FIELDS = {"annotation", "returns", "decorator_list", "bases", "ctx"}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
OPPOSITES = {"min": "max", "max": "min", "any": "all", "all": "any"}
CONTEXT = 28  # characters shown on either side of what a mutation changes


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change of a tree: `parent`'s `field` becomes `value` (a node or a list of nodes).

    `where` is the class or function it is in; `before` and `after` show the changed piece of the
    statement, the same as long as that statement is.
    """

    where: str
    before: str
    after: str
    parent: ast.AST
    field: str
    value: object

    def __str__(self) -> str:
        return f"{self.where}: {self.before} => {self.after}"


Siblings = Mapping[str, tuple[str, ...]]
Node = TypeVar("Node", bound=ast.AST)


def enumerations(tree: ast.Module) -> dict[str, tuple[str, ...]]:
    """Members by the name of each enumeration that a module defines."""
    return {
        node.name: tuple(_members(node))
        for node in tree.body
        if isinstance(node, ast.ClassDef) and _is_enum(node)
    }


def mutations(tree: ast.Module, enums: Siblings) -> list[Mutation]:
    """Every mutation of the tree; `enums` are members by name of each enumeration it may use."""
    aliases: dict[str, tuple[str, ...]] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=names)]):
                group = tuple(n.id for n in names if isinstance(n, ast.Name) and n.id.isupper())
                aliases |= dict.fromkeys(group, group)
    return list(_Walk(enums, aliases).inside(tree, "module", None))


@dataclass(frozen=True, slots=True)
class _Walk:
    enums: Siblings
    aliases: Siblings

    def inside(self, node: ast.AST, where: str, statement: ast.stmt | None) -> Iterator[Mutation]:
        if isinstance(node, ast.stmt):
            statement = node
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            where = node.name if where == "module" else f"{where}.{node.name}"
        for field, value in ast.iter_fields(node):
            if field in SKIPPED_FIELDS:
                continue
            for index, child in enumerate(value if isinstance(value, list) else [value]):
                if not isinstance(child, ast.AST) or _is_text(child):
                    continue
                if isinstance(node, ast.Expr):  # left out as a whole, which says as much
                    continue
                for new in self._instead(child, field):
                    changed: object = new
                    if isinstance(value, list):
                        changed = [*value[:index], new, *value[index + 1 :]]
                    yield _shown(where, statement or child, child, new, node, field, changed)
                yield from self.inside(child, where, statement)
        if isinstance(node, ast.ClassDef) and _is_enum(node):
            yield from _reordered(node, where)

    def _instead(self, node: ast.AST, field: str) -> Iterator[ast.AST]:
        """What may stand in the place of one node."""
        if isinstance(node, ast.stmt):
            yield from _statements(node)
        if isinstance(node, ast.ExceptHandler):
            yield _with(node, body=[ast.Raise()])
        if isinstance(node, ast.expr):
            yield from _expressions(node)
            if field in ("test", "ifs"):
                yield from (ast.Constant(True), ast.Constant(False))
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if attr in self.enums.get(
                name, ()
            ):
                for other in self.enums[name]:
                    if other != attr:
                        yield _with(node, attr=other)
            case ast.Name(id=name, ctx=ast.Load()) if name in self.aliases:
                for other in self.aliases[name]:
                    if other != name:
                        yield _with(node, id=other)


def _statements(node: ast.stmt) -> Iterator[ast.AST]:
    match node:
        case ast.Expr() | ast.Raise() | ast.AugAssign():
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield _with(node, value=ast.Constant(None))


def _expressions(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(ops=ops):
            for index, op in enumerate(ops):
                for other in COMPARISONS[type(op)]:
                    yield _with(node, ops=[*ops[:index], other(), *ops[index + 1 :]])
        case ast.BoolOp(op=op, values=values):
            yield _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
            for index in range(len(values)):
                left = [*values[:index], *values[index + 1 :]]
                yield left[0] if len(left) == 1 else _with(node, values=left)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=op, right=right):
            yield from (left, right)
            if type(op) in ARITHMETIC:
                yield _with(node, op=ARITHMETIC[type(op)]())
        case ast.Set(elts=elts) if len(elts) > 1 and not isinstance(elts[0], ast.Constant):
            for index in range(len(elts)):
                yield _with(node, elts=[*elts[:index], *elts[index + 1 :]])
        case ast.Call(func=ast.Attribute(value=receiver)) if not _is_type(receiver):
            yield receiver
        case ast.Call(func=ast.Name(id=name) as function, args=[first, *_]) if not _is_type(
            function
        ):
            yield first.value if isinstance(first, ast.Starred) else first
            if name in OPPOSITES:
                yield _with(node, func=_with(function, id=OPPOSITES[name]))
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() as number):
            yield from (ast.Constant(number + 1), ast.Constant(number - 1))
        case ast.Constant(value=str() as text) if not any(c.isspace() for c in text):
            yield ast.Constant("mutated")


def _reordered(node: ast.ClassDef, where: str) -> Iterator[Mutation]:
    """An enumeration with two neighbours changing places: order can be meaning."""
    for one, other in pairwise(n for n in node.body if isinstance(n, ast.Assign)):
        body = list(node.body)
        first, second = body.index(one), body.index(other)
        body[first], body[second] = other, one
        before, after = ast.unparse(one), ast.unparse(other)
        yield Mutation(where, f"{before}, {after}", f"{after}, {before}", node, "body", body)


def _shown(
    where: str, statement: ast.AST, old: ast.AST, new: ast.AST, parent: ast.AST, field: str,
    value: object,
) -> Mutation:  # fmt: skip
    """The mutation with the text of its statement's header, cut to what differs."""
    if isinstance(old, ast.stmt):
        before, after = _header(old), _header(new)
    else:
        before = _header(statement)
        kept = getattr(parent, field)
        setattr(parent, field, value)
        after = _header(statement)
        setattr(parent, field, kept)
    start = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    same = zip(reversed(before[start:]), reversed(after[start:]), strict=False)
    end = next((i for i, (a, b) in enumerate(same) if a != b), 0)
    before, after = (_cut(text, start - CONTEXT, end - CONTEXT) for text in (before, after))
    return Mutation(where, before, after, parent, field, value)


def _cut(text: str, start: int, end: int) -> str:
    """Without so many characters at its start and end, if any."""
    left, right = max(0, start), max(0, end)
    return "…" * bool(left) + text[left : len(text) - right] + "…" * bool(right)


def _header(node: ast.AST) -> str:
    """A statement in one line, without the body of a compound one."""
    bodies: dict[str, list[ast.AST]] = {
        name: []
        for name in ("body", "orelse", "finalbody", "handlers")
        if isinstance(getattr(node, name, None), list)
    }
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        bodies["decorator_list"] = []
    return " ".join(ast.unparse(_with(node, **bodies)).split())


def _with(node: Node, **fields: object) -> Node:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _members(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            yield statement.targets[0].id


def _is_enum(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id.endswith("Enum") for base in node.bases)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_type(node: ast.expr) -> bool:
    """Whether it is called to make a value: then there is no step that could be skipped."""
    name = node.id if isinstance(node, ast.Name) else ""
    return name[:1].isupper() or name in ("datetime", "re", "str", "int", "frozenset", "tuple")


def _is_text(node: ast.AST) -> bool:
    """Docstrings and composed sentences."""
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return docstring or isinstance(node, ast.JoinedStr)
