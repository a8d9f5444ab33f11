"""What every connector is made of: the request it reads, the reply it gives, and the declaration that names it."""

from connectors.kit.connector import Connector, ConnectorConfig, Reply, Request, Secret

__all__ = ["Connector", "ConnectorConfig", "Reply", "Request", "Secret"]
