"""From what a person wrote to values of the domain, or to every problem in it.

`toml_text` makes a table of a text, `tables` makes a value of a table, `report` places problems in
the text and shows them. Nothing is imported here: who runs agents does not need to read files.
"""
