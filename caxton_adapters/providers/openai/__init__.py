"""OpenAI and every service that speaks its chat completions."""
