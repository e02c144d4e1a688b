"""Where deployed agents are kept."""
