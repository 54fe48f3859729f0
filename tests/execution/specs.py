"""Specs: plain descriptions of schemas, drawn at random; a schema is built from one as often as wanted."""

from dataclasses import dataclass, field
from enum import Enum

from tests.execution.dice import Dice
from tests.execution.vocabulary import ARGUMENTS, LEAVES


class Way(Enum):
    """How a field comes to its value."""

    ATTRIBUTE = "an attribute"
    PLAIN = "a resolver of the object"
    ROOTLESS = "a resolver without the object"
    INFO = "a resolver that takes info first"
    TELLING = "a resolver that tells what info it got"
    ASYNC = "an async resolver"
    SLOW = "an async resolver that waits"
    AWAITABLE = "a resolver that returns something awaitable"
    LATER = "an awaitable attribute"
    LEVEL = "a level"


SYNC_WAYS = [Way.ATTRIBUTE, Way.PLAIN, Way.ROOTLESS, Way.INFO, Way.TELLING]
ASYNC_WAYS = [Way.ASYNC, Way.SLOW, Way.AWAITABLE, Way.LATER, Way.LEVEL]
WITHOUT_ARGUMENTS = {Way.ATTRIBUTE, Way.LATER}


class Around(Enum):
    """What stands around a field's resolver."""

    EXTENSION = "an extension"
    ASYNC_EXTENSION = "an async extension"
    PERMISSION = "a permission"
    ASYNC_PERMISSION = "an async permission"
    SILENT_PERMISSION = "a permission that fails silently"


SYNC_AROUNDS = [Around.EXTENSION, Around.PERMISSION, Around.SILENT_PERMISSION]
CONTAINERS = ["list", "tuple", "generator", "async generator"]


@dataclass(frozen=True)
class Name:
    """A name of fields: wherever it turns up, it has the same type and arguments, so that documents may merge."""

    name: str
    type: str  # as in SDL
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class FieldSpec:
    """A field of one type."""

    name: Name
    way: Way
    around: tuple[Around, ...] = ()
    container: str = "list"
    items_wait: bool = False  # a list's items are awaitable, now and then


@dataclass(frozen=True)
class TypeSpec:
    """An object type or an interface. An interface by node is resolved by class methods, as the house's Node is."""

    name: str
    fields: tuple[FieldSpec, ...]
    interfaces: tuple[str, ...] = ()
    by_node: bool = False


@dataclass(frozen=True)
class SchemaSpec:
    """A whole schema."""

    objects: tuple[TypeSpec, ...]
    interfaces: tuple[TypeSpec, ...]
    unions: dict[str, tuple[str, ...]]
    names: dict[str, Name] = field(default_factory=dict)
    waits: bool = True  # something in it may be async

    def possible(self, name: str) -> tuple[str, ...]:
        """The object types that a type's values may have."""
        if name in self.unions:
            return self.unions[name]
        if any(each.name == name for each in self.objects):
            return (name,)
        return tuple(each.name for each in self.objects if name in each.interfaces)

    def fields(self, name: str) -> dict[str, FieldSpec]:
        """The fields of a type, inherited ones first."""
        found: dict[str, FieldSpec] = {}
        for each in (*self.interfaces, *self.objects):
            if each.name == name:
                for interface in reversed(each.interfaces):  # the first one counts, as with Python's classes
                    found.update(self.fields(interface))
                found.update({one.name.name: one for one in each.fields})
        return found

    def type(self, name: str) -> TypeSpec:
        """An object type or an interface."""
        return next(each for each in (*self.objects, *self.interfaces) if each.name == name)


def inner(type_: str) -> str:
    """The name in a type: `[A!]!` is of `A`."""
    return type_.strip("[]!")


def draw_schema(dice: Dice) -> SchemaSpec:
    """A schema at random: Query, perhaps Mutation, and some types."""
    waits = not dice.chance(40)
    objects = ["A", "B", "C", "D"][: 2 + dice.below(3)]
    interfaces = ["I", "J"][: dice.below(3)]
    unions = {"U": tuple(sorted(dice.several(objects, 2, 3)))} if dice.chance(40) else {}
    implemented = {name: tuple(dice.several(interfaces, 0, 2)) for name in objects}
    used = [name for name in interfaces if any(name in each for each in implemented.values())]
    implemented = {name: tuple(sorted(each)) for name, each in implemented.items()}
    names = [_draw_name(dice, number, objects, [*used, *unions]) for number in range(12)]

    def fields(least: int, most: int, mine: list[Name]) -> tuple[FieldSpec, ...]:
        return tuple(_draw_field(dice, name, waits) for name in dice.several(mine, least, most))

    interface_specs = tuple(TypeSpec(name, fields(1, 3, names), by_node=not dice.chance(40)) for name in used)
    object_specs = [TypeSpec(name, fields(2, 6, names), implemented[name]) for name in objects]
    object_specs.append(TypeSpec("Query", fields(4, 7, names)))
    if dice.chance(30):
        object_specs.append(TypeSpec("Mutation", fields(2, 4, names)))
    given = {inner(one.name.type) for each in (*object_specs, *interface_specs) for one in each.fields}
    unions = {name: members for name, members in unions.items() if name in given}
    return SchemaSpec(
        tuple(object_specs), interface_specs, unions, {each.name: each for each in names}, waits
    )


def _draw_name(dice: Dice, number: int, objects: list[str], abstract: list[str]) -> Name:
    which = dice.below(10)
    if which < 4 or (which >= 8 and not abstract):
        type_ = dice.pick(list(LEAVES))
    else:
        type_ = dice.pick(objects) if which < 8 else dice.pick(abstract)
    for _ in range((0, 0, 0, 1, 1, 1, 2)[dice.below(7)]):
        type_ = f"[{type_}!]" if dice.chance(40) else f"[{type_}]"
    if dice.chance(40):
        type_ += "!"
    arguments = dice.several(list(ARGUMENTS), 1, 3) if dice.chance(35) else []
    return Name(f"f{number}", type_, tuple(arguments))


def _draw_field(dice: Dice, name: Name, waits: bool) -> FieldSpec:
    ways = SYNC_WAYS + ASYNC_WAYS if waits and dice.chance(60) else SYNC_WAYS
    way = dice.pick([each for each in ways if not name.arguments or each not in WITHOUT_ARGUMENTS])
    # An async extension around what only returns an awaitable would pass it on as a value.
    arounds = list(Around) if waits and way not in (Way.AWAITABLE, Way.LATER) else SYNC_AROUNDS
    around = dice.several(arounds, 1, 2) if dice.chance(20) else []
    if name.type.endswith("!") and not name.type.startswith("["):  # can be neither null nor an empty list
        around = [each for each in around if each is not Around.SILENT_PERMISSION]
    listed = name.type.startswith("[")
    containers = CONTAINERS if waits else CONTAINERS[:3]
    container = dice.pick(containers) if listed and dice.chance(40) else "list"
    return FieldSpec(name, way, tuple(around), container, listed and waits and dice.chance(25))
