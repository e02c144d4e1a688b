"""CX12xx: rules between the fields of an agent file."""

from typing import Final

from caxton_core.codes.explanation import Explanation

AGENT_RULES: Final = (
    Explanation(
        "CX1201",
        "unknown placeholder",
        "nothing fills the placeholder `{{{{{name}}}}}`",
        "The model would see the braces instead of a value.",
        "Use one of {known}, or add `{name}` to [parameters].",
        'user_prompt_template = "{{reqest}}"',
        'user_prompt_template = "{{request}}"',
    ),
    Explanation(
        "CX1202",
        "parameter without text",
        "the parameter `{name}` is a table and cannot fill a placeholder",
        "A placeholder is replaced by text; a table has none that its author chose.",
        "Give the parts of the table names of their own in [parameters].",
        'user_prompt_template = "{{style}}: {{request}}"\n[parameters.style]\ntone = "warm"',
        'user_prompt_template = "{{tone}}: {{request}}"\n[parameters]\ntone = "warm"',
    ),
    Explanation(
        "CX1203",
        "reserved parameter",
        "`{name}` always stands for the person's message",
        "A parameter of this name could never be seen, or would hide the message.",
        "Rename the parameter.",
        '[parameters]\nrequest = "hello"',
        '[parameters]\ngreeting = "hello"',
    ),
    Explanation(
        "CX1204",
        "limit without a process",
        '`{limit}` needs an OS process, but isolation is "task"',
        "Tasks share one process: the operating system can limit only all of them together, so "
        "the limit would not protect anyone.",
        'Write isolation = "process", or remove `{limit}`.',
        '[resources]\nisolation = "task"\nmax_memory = "128MB"',
        '[resources]\nisolation = "process"\nmax_memory = "128MB"',
    ),
    Explanation(
        "CX1205",
        "secret in the file",
        "this looks like {looks_like}",
        "Agent files are shared, versioned and shown; a secret in one is a secret no more.",
        "Remove it here and revoke it there. Keys belong into the provider's settings: an "
        "environment variable, a file, or the keyring of the operating system.",
        '[metadata]\nkey = "AKIAIOSFODNN7EXAMPLE"',
        '# caxton.toml\n[providers.openai]\napi_key = "${OPENAI_API_KEY}"',
    ),
    Explanation(
        "CX1206",
        "turn budget above day budget",
        "one turn may take {turn} tokens, but a whole day only {day}",
        "The first long turn of a day would be cut off by the day's budget.",
        "Lower tokens_per_turn or raise tokens_per_day.",
        "[budget]\ntokens_per_turn = 50000\ntokens_per_day = 10000",
        "[budget]\ntokens_per_turn = 5000\ntokens_per_day = 100000",
    ),
    Explanation(
        "CX1207",
        "answer fills the window",
        "an answer of {max_tokens} tokens leaves no room in a context window of {window}",
        "Question and answer share the window: nothing would be left for the conversation.",
        "Lower llm.max_tokens or raise conversation.context_window.",
        "[llm]\nmax_tokens = 4000\n[conversation]\ncontext_window = 4000",
        "[llm]\nmax_tokens = 1000\n[conversation]\ncontext_window = 4000",
    ),
    Explanation(
        "CX1208",
        "prompt fills the window",
        "the system prompt takes about {estimate} tokens of a context window of {window}",
        "It is sent with every message; nothing would be left for the conversation.",
        "Shorten the prompt or raise conversation.context_window.",
    ),
    Explanation(
        "CX1209",
        "answer above turn budget",
        "one answer may take {max_tokens} tokens, but a whole turn only {turn}",
        "Budgets are reserved before a call: a call that may exceed the budget is never made.",
        "Lower llm.max_tokens or raise budget.tokens_per_turn.",
        "[llm]\nmax_tokens = 2000\n[budget]\ntokens_per_turn = 1000",
        "[llm]\nmax_tokens = 500\n[budget]\ntokens_per_turn = 2000",
    ),
)
