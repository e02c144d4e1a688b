"""A model that says what a scenario file tells it to say: no key, no network, no surprise."""
