"""CX222x: the file of an installation's policy; CX406x: what the policy refuses at run time."""

from typing import Final

from caxton_core.codes.explanation import Explanation

POLICY_FILES: Final = (
    Explanation(
        "CX2220",
        "policy unreadable",
        "the policy {path} cannot be read: {reason}",
        "A server without the policy that its operator wrote would permit what it should refuse.",
        "Correct `policy.file` (or CAXTON_POLICY_FILE), or make the file readable for the server.",
    ),
    Explanation(
        "CX2221",
        "policy unprotected",
        "the policy {path} can be changed by others: {reason}",
        "Whoever can write the policy decides what agents may do; an agent with a tool for files "
        "must not be among them.",
        "Take the right away: {fix}",
    ),
    Explanation(
        "CX2222",
        "unknown environment",
        "the policy has no environment `{name}`; it has: {known}",
        "With a mistyped name the rules of the environment that was meant would not hold.",
        "Correct `policy.environment` (or CAXTON_ENVIRONMENT), or add the table to the policy.",
        "CAXTON_ENVIRONMENT=prodution caxton server start",
        "CAXTON_ENVIRONMENT=production caxton server start",
    ),
    Explanation(
        "CX2223",
        "empty list of what is allowed",
        "`allow = []` would be read as no list at all, which permits everything",
        "Without a list the policy and the settings allow what they neither deny nor ask about; a "
        "list that was emptied by mistake must not do the same.",
        "Leave `allow` out, or name what is allowed; to permit nothing, forbid the tools in the "
        'policy: `[tools]` `never = ["*"]`.',
    ),
    Explanation(
        "CX2224",
        "rule that speaks of no call",
        "`{rule}` speaks of no call: {why}",
        "A rule with a mistyped condition forbids nothing, and nobody notices.",
        "Correct the condition: `caxton tools inspect` shows what a tool takes.",
    ),
    Explanation(
        "CX4060",
        "refused by the policy",
        "the agent does not conform to the policy of this installation",
        "The operator decides in the policy what agents may be given: tools, limits, models.",
        "`errors` names each rule that is broken, and why it exists; repair the file, or ask the "
        "operator. `caxton policy show` prints the policy.",
    ),
    Explanation(
        "CX4061",
        "policy not reloaded",
        "the policy was not read again",
        "A policy takes effect as a whole; where its file has problems the one before stays in "
        "force.",
        "Repair the file and reload it again.",
    ),
    Explanation(
        "CX4062",
        "call denied by the policy",
        "the policy of this installation denies this call of {tool}",
        "What the policy denies is denied to everybody; only what agents are granted does not "
        "bind whoever calls a tool by hand.",
        "Change the call, or have the operator change `deny` under [permissions] of the policy.",
    ),
)
