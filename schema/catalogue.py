"""The upkeep of the catalogue: what staff keeps in step with an ERP, many rows at a time."""

from typing import Annotated

import strawberry

import resolvers.attribute_rows
import resolvers.category_rows
import resolvers.price_rows
import resolvers.product_rows
import resolvers.stock_rows
import resolvers.warehouse_rows
from resolvers.rows import ERRORS_DESCRIPTION
from rules.permissions import Permission
from schema.attributes import Attribute
from schema.categories import Category
from schema.errors import UserError
from schema.fields import field, mutation
from schema.products import Product, Warehouse

_Errors = Annotated[list[UserError], field(description=ERRORS_DESCRIPTION, size=2)]


@strawberry.type(description="What productsUpsert, pricesUpsert and stockUpsert answer.")
class ProductsPayload:
    """resolvers.product_rows.ProductsPayload."""

    products: Annotated[
        list[Product] | None,
        field(description="The products of the rows that were taken, each once, in their order.", size=20),
    ]
    errors: _Errors


@strawberry.type(description="What categoriesUpsert answers.")
class CategoriesPayload:
    """resolvers.category_rows.CategoriesPayload."""

    categories: Annotated[
        list[Category] | None, field(description="The categories of the rows that were taken.", size=20)
    ]
    errors: _Errors


@strawberry.type(description="What warehousesUpsert answers.")
class WarehousesPayload:
    """resolvers.warehouse_rows.WarehousesPayload."""

    warehouses: Annotated[
        list[Warehouse] | None, field(description="The warehouses of the rows that were taken.", size=20)
    ]
    errors: _Errors


@strawberry.type(description="What attributesUpsert answers.")
class AttributesPayload:
    """resolvers.attribute_rows.AttributesPayload."""

    attributes: Annotated[
        list[Attribute] | None, field(description="The attributes of the rows that were taken.", size=20)
    ]
    errors: _Errors


@strawberry.type
class CatalogueMutations:
    """Mutation fields on the catalogue."""

    products_upsert: Annotated[
        ProductsPayload,
        mutation(
            resolvers.product_rows.upsert,
            needs=Permission.CATALOGUE_WRITE,
            description="Keep up to 1,000 products in step with an ERP, by SKU. Repeating it changes nothing.",
        ),
    ]
    prices_upsert: Annotated[
        ProductsPayload,
        mutation(
            resolvers.price_rows.upsert,
            needs=Permission.CATALOGUE_WRITE,
            description="Keep up to 1,000 prices in step with an ERP. Repeating it changes nothing.",
        ),
    ]
    stock_upsert: Annotated[
        ProductsPayload,
        mutation(
            resolvers.stock_rows.upsert,
            needs=Permission.CATALOGUE_WRITE,
            description="Say of up to 1,000 products and warehouses what is on hand. What is promised to orders stays "
            "promised; repeating it changes nothing.",
        ),
    ]
    categories_upsert: Annotated[
        CategoriesPayload,
        mutation(
            resolvers.category_rows.upsert,
            needs=Permission.CATALOGUE_WRITE,
            description="Keep up to 1,000 categories in step with an ERP, by the company's own codes. Repeating it "
            "changes nothing.",
        ),
    ]
    warehouses_upsert: Annotated[
        WarehousesPayload,
        mutation(
            resolvers.warehouse_rows.upsert,
            needs=Permission.CATALOGUE_WRITE,
            description="Keep up to 1,000 warehouses in step with an ERP, by the company's own codes. Repeating it "
            "changes nothing.",
        ),
    ]
    attributes_upsert: Annotated[
        AttributesPayload,
        mutation(
            resolvers.attribute_rows.upsert,
            needs=Permission.CATALOGUE_WRITE,
            description="Keep up to 1,000 attributes of products in step with an ERP, by the company's own codes. "
            "Repeating it changes nothing.",
        ),
    ]
