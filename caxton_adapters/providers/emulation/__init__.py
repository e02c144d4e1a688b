"""Tools for models that know none: asked for and answered through a JSON schema."""
