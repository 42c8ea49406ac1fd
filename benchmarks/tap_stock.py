"""The stock singer-sdk SQLTap, as its documentation builds one: the measure of tap-backoffice."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th
from singer_sdk.sql import SQLConnector, SQLStream, SQLTap


class StockConnector(SQLConnector):
    def get_sqlalchemy_url(self, config: dict[str, Any]) -> str:
        return str(config["sqlalchemy_url"])


class StockStream(SQLStream):
    connector_class = StockConnector


class StockTap(SQLTap):
    name = "tap-stock"
    default_stream_class = StockStream
    exclude_schemas = ("information_schema", "performance_schema", "mysql", "sys")
    config_jsonschema = th.PropertiesList(
        th.Property("sqlalchemy_url", th.StringType, required=True, secret=True)
    ).to_dict()


if __name__ == "__main__":
    StockTap.cli()
