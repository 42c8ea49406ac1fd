"""The one description of the sample's tables; each module adds its own."""

from sqlalchemy import MetaData

METADATA = MetaData()
