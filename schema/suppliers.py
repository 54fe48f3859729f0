"""Suppliers."""

from typing import Annotated

import strawberry

import resolvers.suppliers
from rules.permissions import Permission
from schema.fields import field, query
from schema.nodes import Node
from schema.portals import Portal
from schema.staff_members import StaffMember


@strawberry.type(description="The organisation that owns the company, and maybe others.")
class Supplier(Node):
    """db.suppliers.Supplier."""

    code: Annotated[str, field(description="Its code here.")]
    name: Annotated[str, field(description="Its name.")]
    portals: Annotated[
        list[Portal],
        field(
            resolvers.suppliers.portals,
            description="The portals that the viewer may enter, by name. A session is good at one of them: "
            "sign in at each.",
            size=5,
        ),
    ]
    staff_members: Annotated[
        list[StaffMember],
        field(resolvers.suppliers.staff_members, description="Its own people, by name.", size=10),
    ]


@strawberry.type
class SupplierQueries:
    """Query fields on the supplier."""

    supplier: Annotated[
        Supplier,
        query(
            resolvers.suppliers.supplier,
            needs=Permission.SUPPLIER_READ,
            description="The supplier that owns this portal's company.",
        ),
    ]
