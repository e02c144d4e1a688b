"""CX303x and CX4054 to CX4059: servers of tools, their tools, and what of them is approved."""

from typing import Final

from caxton_core.codes.explanation import Explanation

TOOLS: Final = (
    Explanation(
        "CX3030",
        "server of tools exists",
        "a server of tools called {name} is registered",
        "Two servers of one name would offer tools of the same names.",
        "Choose another name, or replace the registration: PUT /mcp/servers/{name}.",
    ),
    Explanation(
        "CX3031",
        "registered in the settings",
        "the server of tools {name} is registered in the settings",
        "The settings file is where its operator looks for it, and would bring it back.",
        "Change [mcp.servers.{name}] in the settings file.",
    ),
    Explanation(
        "CX3032",
        "bad registration",
        "the registration of {name} has problems",
        "What is ignored or guessed in a registration would run another program than was meant.",
        "Repair what `errors` names; the keys are those of [mcp.servers.NAME].",
        right='[mcp.servers.clock]\ncommand = "mcp-server-time"',
    ),
    Explanation(
        "CX3033",
        "lock unreadable",
        "the approved definitions of tools in {path} cannot be read: {reason}",
        "A lock that is guessed, or made anew, would approve what nobody has seen.",
        "Repair the file, take it back from version control, or move it away to begin anew.",
    ),
    Explanation(
        "CX3034",
        "pin altered",
        "the pinned definition of {tool} is not the one that its hash was made of",
        "The hash is what a review sees; a definition under another one's hash would pass it.",
        "Take the file back from version control, or remove the whole [[tool]] and approve it "
        "again: caxton tools approve.",
    ),
    Explanation(
        "CX4054",
        "server stands in for others",
        "the server of tools {name} is the fallback of {others}",
        "Calls go to it while those servers cannot be reached.",
        "Register them again without it (caxton mcp add, or PUT /mcp/servers/NAME), or remove "
        "them first.",
    ),
    Explanation(
        "CX4055",
        "unknown server of tools",
        "no server of tools is called {name}",
        "Tools come from servers that the operator registered, and from nowhere else.",
        "caxton mcp list shows those that are registered; caxton mcp add registers one.",
    ),
    Explanation(
        "CX4056",
        "unknown tool",
        "no server that was reached offers {names}",
        "The tools of a server are known once it was reached.",
        "caxton tools list shows what is offered; caxton mcp test NAME connects with a server.",
    ),
    Explanation(
        "CX4057",
        "server of tools unreachable",
        "there is no connection with the server of tools {name}: {why}",
        "What a server offers is known from itself alone.",
        "Look at its registration with caxton mcp show, and try it again: caxton mcp test.",
    ),
    Explanation(
        "CX4058",
        "tool failed",
        "the tool {name} gave no result: {why}",
        "The tool, or its server, said so.",
        "Look at what it takes with caxton tools inspect, and at its server with caxton mcp show.",
    ),
    Explanation(
        "CX4059",
        "tool not approved",
        "the definition of {name} is {state} and waits for an approval",
        "What a server says of its tools is read by models as instructions: nobody has agreed "
        "to these.",
        "Read them with caxton tools diff, then agree: caxton tools approve.",
    ),
)
