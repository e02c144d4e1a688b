"""CX13xx: what an agent file may say and yet deserves a second look."""

from typing import Final

from caxton_core.codes.explanation import Explanation

AGENT_DOUBTS: Final = (
    Explanation(
        "CX1301",
        "no capabilities",
        "the agent offers no capability",
        "Other agents and clients that ask for a capability will never find it; it answers only "
        "to its name.",
        "Name what it can be asked for.",
        "capabilities = []",
        'capabilities = ["greeting"]',
    ),
    Explanation(
        "CX1302",
        "capability in another case",
        "the capability `{written}` is read as `{suggestion}`",
        "Capabilities are compared letter by letter; one spelling makes agents find each other.",
        "Write {suggestion}.",
        'capabilities = ["data_analysis"]',
        'capabilities = ["data-analysis"]',
    ),
    Explanation(
        "CX1303",
        "single braces",
        "`{written}` is not a placeholder and stays as it is",
        "Only double braces are filled, so that JSON and code may stand in a template.",
        "Write `{suggestion}` if a placeholder was meant.",
        'user_prompt_template = "Question: {request}"',
        'user_prompt_template = "Question: {{request}}"',
    ),
    Explanation(
        "CX1304",
        "message not used",
        "the template never uses `{{{{request}}}}`",
        "The model would answer without having seen what the person wrote.",
        "Put {{{{request}}}} where the message belongs.",
        'user_prompt_template = "Say something nice."',
        'user_prompt_template = "Say something nice about: {{request}}"',
    ),
    Explanation(
        "CX1305",
        "unused parameter",
        "no placeholder uses the parameter `{name}`",
        "Parameters reach the model only through placeholders of user_prompt_template.",
        "Use it as {{{{{name}}}}}, or note it in [metadata].",
        '[parameters]\nlanguage = "French"',
        'user_prompt_template = "Answer in {{language}}: {{request}}"\n'
        '[parameters]\nlanguage = "French"',
    ),
    Explanation(
        "CX1306",
        "tool without permission",
        "the tool `{tool}` is listed, but nothing permits its calls",
        "What is neither allowed nor asked about is refused: the model would try, fail, and pay "
        "for the tokens.",
        "Add it to allow or ask in [permissions], or remove it from tools.",
        'tools = ["files.read"]',
        'tools = ["files.read"]\n[permissions]\nallow = ["files.read"]',
    ),
    Explanation(
        "CX1307",
        "permission without tool",
        "the permission `{rule}` is for a tool that the agent does not have",
        "The model is shown only what tools lists, so the permission waits for calls that "
        "cannot come; if the tool is added later, it is permitted unseen.",
        "Add `{tool}` to tools, or remove the permission.",
        'tools = []\n[permissions]\nallow = ["files.write"]',
        'tools = ["files.write"]\n[permissions]\nallow = ["files.write"]',
    ),
    Explanation(
        "CX1308",
        "permission without effect",
        "`{rule}` never applies: `{by}` in {stronger} covers it",
        "Deny goes before ask, ask before allow; whoever reads the file may think that the call "
        "is permitted.",
        "Remove one of the two.",
        '[permissions]\nallow = ["files.read"]\ndeny = ["files.*"]',
        '[permissions]\nallow = ["files.read"]\ndeny = ["files.write"]',
    ),
    Explanation(
        "CX1309",
        "setting without effect",
        "`{key}` has no effect, because {because}",
        "Whoever reads the file will count on it.",
        "Remove it, or change what switches it off.",
        "[memory]\nenabled = false\nrecall_limit = 20",
        "[memory]\nenabled = true\nrecall_limit = 20",
    ),
    Explanation(
        "CX1310",
        "two samplers",
        "both temperature and top_p are set",
        "Each narrows the choice of words; together their effect is hard to foresee, and "
        "providers advise to change only one.",
        "Keep the one that you tuned.",
        "[llm]\ntemperature = 0.2\ntop_p = 0.5",
        "[llm]\ntemperature = 0.2",
    ),
    Explanation(
        "CX1311",
        "very high temperature",
        "at a temperature of {temperature} answers tend to fall apart",
        "Above 1.5 most models produce wrong words; customers see nonsense and tokens are wasted.",
        "Try 1.0 first.",
        "[llm]\ntemperature = 1.9",
        "[llm]\ntemperature = 1.0",
    ),
    Explanation(
        "CX1312",
        "fall-back to the same",
        "the fall-back asks for `{model}` again",
        "When a provider fails, asking the same one for the same model only adds a delay.",
        "Name another provider or another model.",
        'llm_provider = "openai"\n[llm]\nmodel = "m"\n'
        'fallback = [{provider = "openai", model = "m"}]',
        'llm_provider = "openai"\n[llm]\nmodel = "m"\nfallback = [{provider = "local"}]',
    ),
    Explanation(
        "CX1313",
        "placeholder in the system prompt",
        "`{written}` in the system prompt stays as it is",
        "Placeholders are filled in user_prompt_template only; the system prompt is sent byte for "
        "byte.",
        "Move the placeholder into user_prompt_template.",
        'system_prompt = "Answer in {{language}}."',
        'user_prompt_template = "Answer in {{language}}: {{request}}"\n'
        '[parameters]\nlanguage = "French"',
    ),
    Explanation(
        "CX1314",
        "environment reference",
        "`{written}` is not substituted in an agent file",
        "Whoever may deploy an agent must not be able to read the server's environment.",
        "Write the value itself, or have the operator set it in the server's settings.",
        '[parameters]\nhome = "${HOME}"',
        '[parameters]\nhome = "/srv/reports"',
    ),
    Explanation(
        "CX1315",
        "everything is shared",
        "everything that people tell this agent is stored for all agents",
        'With auto_store and the scope "global" one customer\'s words can turn up in the '
        "answers to another: a privacy incident.",
        'Use scope = "conversation", or store deliberately with auto_store = false.',
        '[memory]\nauto_store = true\nscope = "global"',
        '[memory]\nauto_store = true\nscope = "conversation"',
    ),
    Explanation(
        "CX1316",
        "many rounds without a budget",
        "{rounds} rounds of tool calls, and no token budget for the turn",
        "Each round sends the whole conversation again: a model that loops can turn one message "
        "into a large bill.",
        "Set budget.tokens_per_turn.",
        'tools = ["files.read"]\n[resources]\nmax_tool_rounds = 100',
        'tools = ["files.read"]\n[resources]\nmax_tool_rounds = 100\n'
        "[budget]\ntokens_per_turn = 100000",
    ),
    Explanation(
        "CX1317",
        "deadline that never comes",
        "`{key}` ({written}) is never reached: {outer} ends first ({earlier})",
        "The shorter deadline around it wins; whoever reads the file will wait too long.",
        "Shorten `{key}` or lengthen {outer}.",
        '[llm]\ntimeout = "5m"\n[resources]\nturn_timeout = "60s"',
        '[llm]\ntimeout = "30s"\n[resources]\nturn_timeout = "60s"',
    ),
    Explanation(
        "CX1318",
        "not in effect yet",
        "`{key}` has no effect yet: {instead}",
        "The format holds keys of features that are still to come, so that files need not change "
        "when they do; until then nobody should count on them.",
        "Leave it out if the agent must not be without it; else nothing has to be done.",
        "[routing]\nweight = 2.0",
        "[routing]\npriority = 60",
    ),
)
