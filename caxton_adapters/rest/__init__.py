"""The REST API: a lean front for the routes that are hot, Litestar for all the others."""
