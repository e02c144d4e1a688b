"""CX50xx: model providers that give no answer."""

from typing import Final

from caxton_core.codes.explanation import Explanation

PROVIDERS: Final = (
    Explanation(
        "CX5001",
        "provider unreachable",
        "the provider at {where} cannot be reached",
        "No connection could be made, or it ended before an answer.",
        "Check base_url, the network and, for a local provider, whether it runs.",
    ),
    Explanation(
        "CX5002",
        "provider's name unknown",
        "the provider's host name {host} is unknown",
        "The name in base_url has no address.",
        "Check the spelling of base_url and the name service of this machine.",
    ),
    Explanation(
        "CX5003",
        "no safe connection",
        "no safe connection to {where}",
        "The certificate is not trusted, has expired, or belongs to another name; a key is never "
        "sent over such a connection.",
        "Check base_url and the machine's clock; a company's own authority goes into "
        "SSL_CERT_FILE.",
    ),
    Explanation(
        "CX5004",
        "key not accepted",
        "the provider does not accept the server's key",
        "The key is wrong, revoked, or of another service.",
        "Set a valid key for the provider, for example in OPENAI_API_KEY, and restart.",
    ),
    Explanation(
        "CX5005",
        "not permitted",
        "the provider does not permit this",
        "The key is known but may not use this model, project or region.",
        "Look at the rights of the key in the provider's console.",
    ),
    Explanation(
        "CX5006",
        "unknown model",
        "the provider has no model {model}",
        "Providers name their models letter by letter, and withdraw old ones.",
        "GET /providers lists the models; set llm.model to one of them.",
    ),
    Explanation(
        "CX5007",
        "asked too often",
        "the provider is asked too often",
        "The provider limits requests or tokens per minute; retries were tried already.",
        "Come back after the seconds in Retry-After, or set requests_per_minute for the provider.",
    ),
    Explanation(
        "CX5008",
        "no credit left",
        "the account at the provider has no credit left",
        "Waiting does not help: the account has to be paid.",
        "Look at the billing page of the provider.",
    ),
    Explanation(
        "CX5009",
        "conversation too long",
        "the conversation does not fit into the model's context",
        "The model reads a limited number of tokens at once.",
        "Lower conversation.context_window, shorten the message, or choose another model.",
    ),
    Explanation(
        "CX5010",
        "content refused",
        "the provider refuses the content",
        "The provider's filter stopped the question or the answer.",
        "Rephrase the message.",
    ),
    Explanation(
        "CX5011",
        "request refused",
        "the provider calls the request wrong",
        "A setting does not suit this model, for example a temperature that it does not take.",
        "Read the provider's words in `detail` and compare them with [llm].",
    ),
    Explanation(
        "CX5012",
        "provider failed",
        "the provider itself failed",
        "The service has a fault of its own; retries were tried already.",
        "Try again later; llm.fallback names another model for such times.",
    ),
    Explanation(
        "CX5013",
        "provider too slow",
        "the provider was too slow",
        "Every wait has a limit, so that a silent provider cannot hold agents for ever.",
        "Raise llm.timeout or the provider's timeouts, or choose a faster model.",
    ),
    Explanation(
        "CX5014",
        "answer cut",
        "the provider's answer ended in the middle",
        "Half an answer may say the opposite of the whole one, so it is not passed on.",
        "Send the message again; look at proxies on the way if it happens often.",
    ),
    Explanation(
        "CX5015",
        "answer malformed",
        "the provider's answer cannot be read",
        "The service does not speak the protocol that its kind promises.",
        "Check that base_url leads to the API and not to a web page.",
    ),
    Explanation(
        "CX5016",
        "answer empty",
        "the provider's answer is empty",
        "The service answered without any choice.",
        "Send the message again; another model may help.",
    ),
    Explanation(
        "CX5017",
        "key missing",
        "the provider {provider} needs a key",
        "No key was found in any of the places where the server looks.",
        "Set one, for example OPENAI_API_KEY in the environment, and restart.",
    ),
    Explanation(
        "CX5018",
        "provider not configured",
        "no provider of this name is configured",
        "llm_provider names a provider of the server's settings, not of the world.",
        "Configure [providers.NAME] in caxton.toml, or change llm_provider.",
    ),
    Explanation(
        "CX5019",
        "provider left alone",
        "the provider {provider} failed too often and is left alone for a while",
        "Asking a service that is down slows everybody and keeps it down.",
        "Come back after the seconds in Retry-After.",
    ),
    Explanation(
        "CX5020",
        "own limit reached",
        "the server's own limit on the provider is reached",
        "The operator limits requests, tokens or money, and the limit is never exceeded.",
        "Come back after the seconds in Retry-After, or raise the limit in [providers.NAME].",
    ),
)
