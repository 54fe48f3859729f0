"""Operations: random documents for a spec's schema, with the variables to run them with."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.execution.dice import Dice
from tests.execution.specs import SchemaSpec, inner
from tests.execution.vocabulary import ARGUMENTS, INPUT_FIELDS, LEAVES, REQUIRED, Kind

_MOST_FIELDS = 40


@dataclass
class Operation:
    """A document, which of its operations to run, and with what."""

    text: str
    name: str | None
    kind: str
    variables: dict[str, Any]
    fields: dict[str, str]  # names in the answer to names in the schema, where they differ


def draw_operation(dice: Dice, spec: SchemaSpec) -> Operation:
    """An operation at random, nearly always a valid one."""
    return _Writer(dice, spec).operation()


@dataclass
class _Written:
    """A field as it stands somewhere in the document, so that it can be written once more."""

    text: str
    type: str


@dataclass
class _Writer:
    dice: Dice
    spec: SchemaSpec
    left: int = _MOST_FIELDS
    aliases: int = 0
    fields: dict[str, str] = field(default_factory=dict)
    fragments: dict[str, tuple[str, str]] = field(default_factory=dict)
    definitions: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)

    def operation(self) -> Operation:
        mutates = any(each.name == "Mutation" for each in self.spec.objects) and self.dice.chance(60)
        kind = "mutation" if mutates else "query"
        body = self.selections(kind.capitalize(), 0)
        declared = f"({', '.join(self.definitions)})" if self.definitions else ""
        name = "Wanted" if declared or self.fragments or self.dice.chance(30) else None
        head = "" if name is None and kind == "query" else f"{kind}{f' {name}' if name else ''}{declared} "
        texts = [f"{head}{body}"]
        texts += [f"fragment {each} on {of} {text}" for each, (of, text) in self.fragments.items()]
        if name is not None and self.dice.chance(15):
            texts.insert(self.dice.below(len(texts) + 1), "query Other { __typename }")
        return Operation("\n".join(texts), name, kind, self.variables, self.fields)

    def selections(self, type_: str, depth: int) -> str:
        """A selection set on a type."""
        written: list[_Written] = []
        texts = [
            self._selection(type_, depth, written) for _ in range(1 + self.dice.below(5 if depth < 3 else 2))
        ]
        return f"{{ {' '.join(texts)} }}"

    def _selection(self, type_: str, depth: int, written: list[_Written]) -> str:
        which = self.dice.below(20)
        if which < 12 and type_ not in self.spec.unions:
            return self._field(type_, depth, written)
        if which < 14 and written:  # once more: the two are merged
            again = self.dice.pick(written)
            return f"{again.text}{self._directives()}{self._below(again.type, depth)}"
        if which < 17 and self.left > 0 and depth < 6:
            on = self._narrowed(type_)
            condition = f" on {on}" if on != type_ or self.dice.chance(50) else ""
            return f"...{condition}{self._directives()} {self.selections(on, depth + 1)}"
        if which < 19 and self.left > 0 and depth < 6:
            return self._spread(type_, depth)
        alias = self._alias("__typename") if self.dice.chance(20) else ""
        return f"{alias}__typename{self._directives()}"

    def _field(self, type_: str, depth: int, written: list[_Written]) -> str:
        fields = list(self.spec.fields(type_).values())
        if self.left <= 0 or depth >= 6:
            fields = [each for each in fields if inner(each.name.type) in LEAVES]
        if not fields:
            return "__typename"
        self.left -= 1
        name = self.dice.pick(fields).name
        given = self._arguments(name.arguments)
        alias = self._alias(name.name) if name.arguments or self.dice.chance(15) else ""
        text = f"{alias}{name.name}{given}"
        written.append(_Written(text, name.type))
        return f"{text}{self._directives()}{self._below(name.type, depth)}"

    def _below(self, type_: str, depth: int) -> str:
        name = inner(type_)
        return "" if name in LEAVES else f" {self.selections(name, depth + 1)}"

    def _alias(self, name: str) -> str:
        self.aliases += 1
        self.fields[f"a{self.aliases}"] = name
        return f"a{self.aliases}: "

    def _narrowed(self, type_: str) -> str:
        """A type that some of a type's objects have."""
        possible = set(self.spec.possible(type_))
        others = [*(each.name for each in (*self.spec.objects, *self.spec.interfaces)), *self.spec.unions]
        return self.dice.pick([type_, *(each for each in others if possible & {*self.spec.possible(each)})])

    def _spread(self, type_: str, depth: int) -> str:
        possible = {*self.spec.possible(type_)}
        known = [
            each
            for each, (of, text) in self.fragments.items()
            if text and possible & {*self.spec.possible(of)}
        ]
        if known and self.dice.chance(60):
            return f"...{self.dice.pick(known)}{self._directives()}"
        name, on = f"F{len(self.fragments)}", self._narrowed(type_)
        self.fragments[name] = (on, "")  # its text comes when it is whole: until then nobody may spread it
        self.fragments[name] = (on, self.selections(on, depth + 1))
        return f"...{name}{self._directives()}"

    def _directives(self) -> str:
        text = ""
        for name in ("skip", "include"):
            if self.dice.chance(8):
                literal = self.dice.pick(["true", "false"])
                condition = self._variable("Boolean!", False) if self.dice.chance(60) else literal
                text += f" @{name}(if: {condition})"
        return text

    # Arguments.

    def _arguments(self, names: tuple[str, ...]) -> str:
        texts = []
        for name in names:
            type_, default = ARGUMENTS[name]
            if default is REQUIRED or self.dice.chance(60):
                texts.append(f"{name}: {self._input(type_, 0, default is not REQUIRED)}")
        return f"({', '.join(texts)})" if texts else ""

    def _input(self, type_: str, depth: int, has_default: bool) -> str:
        """A value of an input type as text, perhaps a variable."""
        if self.dice.chance(30):
            return self._variable(type_, has_default)
        bare = type_.removesuffix("!")
        if bare == type_ and self.dice.chance(15):
            return "null"
        if bare.startswith("["):
            if inner(bare) not in LEAVES or bare.startswith("[[") or not self.dice.chance(20):
                items = [self._input(bare[1:-1], depth + 1, False) for _ in range(self.dice.below(3))]
                return f"[{', '.join(items)}]"
            return self._literal(inner(bare))  # a list of one may be written without brackets
        if bare == "Key":
            return self.dice.pick(['{id: "k"}', '{code: "c"}', "{id: 5}"])
        if bare in INPUT_FIELDS:
            texts = [
                f"{name}: {self._input(of, depth + 1, not required)}"
                for name, (of, required) in INPUT_FIELDS[bare].items()
                if required or (depth < 3 and self.dice.chance(40))
            ]
            return f"{{{', '.join(texts)}}}"
        return self._literal(bare)

    def _literal(self, leaf: str) -> str:
        value = self._json(f"{leaf}!")
        return str(value) if leaf == "Kind" else json.dumps(value)

    def _variable(self, type_: str, has_default: bool) -> str:
        usable = [name for name, of in self.types.items() if of in (type_, f"{type_}!")]
        if usable and self.dice.chance(60):
            return f"${self.dice.pick(usable)}"
        name = f"v{len(self.types)}"
        non_null = type_.endswith("!")
        declared = type_ if non_null or self.dice.chance(70) else f"{type_}!"
        default = ""
        bare = declared.removesuffix("!")
        if self.dice.chance(25) and bare in LEAVES:
            default = f" = {self._literal(bare)}"
            declared = self.dice.pick([declared, bare]) if non_null else declared
        elif has_default and non_null and self.dice.chance(20):
            declared = bare  # allowed where the place has a default
        self.types[name] = declared
        self.definitions.append(f"${name}: {declared}{default}")
        if declared.endswith("!") and not default:
            if not self.dice.chance(1):
                self.variables[name] = self._json(declared)
        elif self.dice.chance(70):
            self.variables[name] = self._json(declared)
        return f"${name}"

    def _json(self, type_: str) -> Any:
        if not type_.endswith("!") and self.dice.chance(15):
            return None
        return self._plain_json(type_.removesuffix("!"))

    def _plain_json(self, type_: str) -> Any:
        if type_.startswith("["):
            return [self._plain_json(type_[1:-1].removesuffix("!")) for _ in range(self.dice.below(3))]
        if type_ == "Key":
            return self.dice.pick([{"id": "k"}, {"code": "c"}])
        if type_ in INPUT_FIELDS:
            return {
                name: self._plain_json(of.removesuffix("!"))
                for name, (of, required) in INPUT_FIELDS[type_].items()
                if required or (self.dice.chance(40) and name != "also")
            }
        leaves: dict[str, list[Any]] = {
            "String": ["x", "", "ä"],
            "Int": [1, 0, -7],
            "Boolean": [True, False],
            "Float": [1.5, 2],
            "ID": ["i", "7"],
            "Kind": [each.name for each in Kind],
            "Decimal": ["1.50", "0"],
            "Date": ["2026-02-28", "1999-12-31"],
            "Code": ["#1"],
        }
        return self.dice.pick(leaves[type_])
