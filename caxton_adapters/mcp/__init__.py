"""Tool servers that speak the Model Context Protocol; its library is loaded at the first use."""
