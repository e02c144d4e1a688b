"""CX4xxx: agents and their messages."""

from typing import Final

from caxton_core.codes.explanation import Explanation

RUNNING: Final = (
    Explanation(
        "CX4001",
        "unknown agent",
        "no agent is called {asked}",
        "Agents are found by their name or their id; a deleted agent has neither.",
        "`caxton list` shows the agents of the server.",
    ),
    Explanation(
        "CX4002",
        "name taken",
        "an agent called {name} exists",
        "The name is the agent's address; a second agent would take its messages.",
        "Replace the agent (PUT, or `caxton deploy --replace`), or choose another name.",
    ),
    Explanation(
        "CX4003",
        "name changed",
        "the new file calls the agent {proposed}, not {name}",
        "Whoever writes to the old name would lose the agent without notice.",
        "Keep the name in the file, or deploy the file as a new agent.",
    ),
    Explanation(
        "CX4004",
        "agent file with errors",
        "the agent file has errors",
        "An agent runs as its file says, so the file has to say something sound.",
        "Repair every error in `errors`; `caxton validate` shows them at their lines.",
    ),
    Explanation(
        "CX4005",
        "agent not running",
        "the agent {name} is {state}",
        "Only a running agent takes messages.",
        "Start it: POST /agents/{{name}}/start, or `caxton start`. Where it failed, `caxton show` "
        "says why.",
    ),
    Explanation(
        "CX4006",
        "no such step from this state",
        "the agent {name} is {state}",
        "An agent is loaded before it runs and stopped before it is unloaded.",
        "Look at its state with `caxton show`.",
    ),
    Explanation(
        "CX4007",
        "messages at work",
        "the agent {name} is answering {count} messages",
        "Their senders would lose answers that are already being paid for.",
        "Wait for them, or add ?force=true (`caxton delete --force`).",
    ),
    Explanation(
        "CX4008",
        "mailbox full",
        "the agent {name} has {limit} messages waiting",
        "A queue that grows without end answers nobody in time.",
        "Come back after the seconds in Retry-After; more replicas or a higher "
        "resources.max_concurrent_turns shorten the queue.",
    ),
    Explanation(
        "CX4009",
        "budget spent",
        "the agent has spent its {budget}",
        "The budget is a promise: a call whose most would go beyond it is not made. It counts the "
        "last 24 hours, from the start of the server on.",
        "Come back after the seconds in Retry-After, or raise it in [budget].",
    ),
    Explanation(
        "CX4010",
        "server stopping",
        "the server is stopping and takes no new work",
        "Messages that were accepted get their answers before the server ends.",
        "Ask again after the seconds in Retry-After.",
    ),
    Explanation(
        "CX4011",
        "unknown message",
        "no message {id} is known",
        "Messages are forgotten some time after they ended, the oldest first.",
        "Ask sooner, or wait for the answer in the request that sends the message.",
    ),
    Explanation(
        "CX4012",
        "nobody offers the capability",
        "no running agent offers {capability}",
        "Capabilities are registered by running agents only.",
        "GET /capabilities lists what is offered; start an agent that offers it.",
    ),
    Explanation(
        "CX4013",
        "unknown provider",
        "no provider is called {name}",
        "Providers are configured by the operator, in [providers.NAME] of caxton.toml.",
        "GET /providers lists them.",
    ),
    Explanation(
        "CX4014",
        "server overloaded",
        "the server works on {limit} messages",
        "Beyond its limit every answer would come too late.",
        "Come back after the seconds in Retry-After.",
    ),
    Explanation(
        "CX4020",
        "turn too long",
        "the turn's time was over",
        "A turn has a deadline, so that nobody waits for ever.",
        "Raise resources.turn_timeout, or ask for less at once.",
    ),
    Explanation(
        "CX4021",
        "cancelled",
        "the message was cancelled",
        "Somebody cancelled it, or its sender went away.",
        "Send it again if the answer is wanted after all.",
    ),
    Explanation(
        "CX4022",
        "too many tool rounds",
        "the model went on calling tools after {limit} rounds",
        "A model that never stops calling tools would never stop costing money.",
        "Make the tools' answers clearer, or raise resources.max_tool_rounds.",
    ),
    Explanation(
        "CX4023",
        "turn budget spent",
        "the turn's budget leaves no room for an answer",
        "The budget of a turn covers the question, the answer and everything between them.",
        "Raise budget.tokens_per_turn, or shorten the prompt.",
    ),
    Explanation(
        "CX4024",
        "turn out of order",
        "the turn was told something that it did not wait for",
        "This is a defect of the server, not of the message.",
        "Report it with the request's id.",
    ),
    Explanation(
        "CX4025",
        "agent broke down",
        "the agent broke down on this message, and again when it was tried anew",
        "The agent runs apart from the others, so only this message is lost.",
        "Raise resources.max_memory if it ran out of memory; else report it.",
    ),
    Explanation(
        "CX4026",
        "agent left",
        "the agent left before it answered",
        "It was stopped, deleted or failed while the message waited.",
        "Send the message again when the agent runs.",
    ),
    Explanation(
        "CX4027",
        "budget below one call",
        "one call of the model may take more than {budget} allows",
        "Before a call the most that it can take is reserved: the prompt and the longest answer, "
        "which is 4096 tokens where llm.max_tokens gives no other. Waiting does not help.",
        "Set llm.max_tokens to what answers need, shorten the prompt, or raise the budget.",
    ),
    Explanation(
        "CX4028",
        "not stored",
        "the server cannot store the change, so nothing was changed: {why}",
        "A change of an agent is stored before it is made, so that a restart does not undo it.",
        "Look whether the disk of the data directory is full or read-only, and ask again.",
    ),
)
