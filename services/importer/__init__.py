"""The importer: reads the orders of connected stores and publishes each changed order once."""
