"""CX404x: what agents remember."""

from typing import Final

from caxton_core.codes.explanation import Explanation

MEMORIES: Final = (
    Explanation(
        "CX4040",
        "nothing remembered",
        "nothing is remembered as {key}",
        "An entry is known by its key and by whose it is: an agent's, a conversation's, or all's.",
        "List what there is: caxton memory list, with --agent, --conversation or --global.",
    ),
    Explanation(
        "CX4041",
        "entry changed meanwhile",
        "the entry {key} is not as it was at {at}",
        "Who changes what another has just changed would undo that without knowing.",
        "Read the entry again, and change what is there now.",
    ),
    Explanation(
        "CX4042",
        "no embedder",
        "the server cannot look for what a text means",
        "A search by meaning compares vectors, and this server has nothing that makes them.",
        "Search for words: how=text.",
    ),
    Explanation(
        "CX4043",
        "lines refused",
        "{lines} of the imported lines cannot be read, so nothing was stored",
        "Half an import is hard to tell from a whole one.",
        "Repair the lines that `errors` names, or ask for the others alone with partly=true.",
    ),
    Explanation(
        "CX4044",
        "owner not named",
        "it is not said whose memory is meant",
        "Every entry is an agent's, a conversation's or all agents', and seen by nobody else.",
        "Name ?agent=NAME, or with it &conversation=ID, or ?scope=global.",
    ),
    Explanation(
        "CX4045",
        "nothing chosen",
        "it is not said what is to be forgotten",
        "A filter that was left out by accident would remove everything.",
        "Give a filter (kind, tag, q, since, until), or all=true.",
    ),
    Explanation(
        "CX4046",
        "no memory",
        "this server keeps no memory",
        "It was composed without one.",
        "Use a server that was started with caxton server start.",
    ),
)
