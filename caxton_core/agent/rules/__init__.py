"""The rules between the fields of an agent file, by subject."""
