"""CX3xxx: requests that the API refuses, whatever they are about."""

from typing import Final

from caxton_core.codes.explanation import Explanation

REQUESTS: Final = (
    Explanation(
        "CX3001",
        "malformed body",
        "the body cannot be read: {detail}",
        "What is not JSON, or not UTF-8, has no meaning that two readers would agree on.",
        "Send UTF-8 text; quote and escape it with a JSON library rather than by hand.",
    ),
    Explanation(
        "CX3002",
        "invalid body",
        "the body is not what it has to be: {detail}",
        "Members that are ignored or guessed would do something else than their sender thinks.",
        "Compare the body with the description of the path in /schema.",
    ),
    Explanation(
        "CX3003",
        "nothing at this path",
        "there is nothing at this path",
        "Paths have no version and no trailing slash; agents are named in the path.",
        "Look the path up in /schema, or in the REST reference.",
    ),
    Explanation(
        "CX3004",
        "method not allowed",
        "this path does not take the method",
        "Each path takes the methods that have a meaning for it; `Allow` lists them.",
        "Use one of the methods in the Allow header.",
    ),
    Explanation(
        "CX3005",
        "body too large",
        "the body is larger than the {limit} bytes that the server reads",
        "A body is held in memory; without a limit one client could take all of it.",
        "Send less. The operator can raise server.max_body.",
    ),
    Explanation(
        "CX3006",
        "unsupported media type",
        "the server does not read this type of body",
        "An agent file is TOML, everything else JSON; bodies are not compressed.",
        "Send application/toml or application/json, without Content-Encoding.",
    ),
    Explanation(
        "CX3007",
        "not authenticated",
        "the server asks for its token",
        "Whoever reaches this server could otherwise deploy agents and spend money.",
        "Send `Authorization: Bearer TOKEN`; the command line takes it from CAXTON_API_TOKEN.",
    ),
    Explanation(
        "CX3008",
        "no single host",
        "a request names the server in exactly one Host header",
        "Two names, or none, let a proxy and the server understand different things.",
        "Every ordinary client sends one; look at what builds the request by hand.",
    ),
    Explanation(
        "CX3009",
        "foreign host name",
        "the server does not answer under this name",
        "A web page can point its own name at your machine (DNS rebinding) and would then be "
        "talking to this server.",
        "Use localhost, or add the name to server.allowed_hosts.",
    ),
    Explanation(
        "CX3010",
        "foreign web page",
        "a web page of another origin asks",
        "A browser sends requests for any page that it shows, also to servers on your machine.",
        "Add the page's origin to server.allowed_origins if it is yours.",
    ),
    Explanation(
        "CX3011",
        "invalid parameter",
        "a parameter of the path or the query is not what it has to be",
        "A parameter that is guessed would show something else than was asked for.",
        "Compare it with the description in /schema; a cursor is used exactly as it came.",
    ),
    Explanation(
        "CX3012",
        "request too slow",
        "the request did not arrive within the time for it",
        "Connections that hold their place without asking would keep others out.",
        "Send the request in one go; look at the network if you do.",
    ),
    Explanation(
        "CX3013",
        "URL too long",
        "the URL is longer than the server reads",
        "URLs name things; what is said to agents travels in the body.",
        "Send texts in the body.",
    ),
    Explanation(
        "CX3014",
        "headers too large",
        "the headers are larger than the server reads",
        "Headers are held in memory before anything is known about the request.",
        "Send fewer cookies and shorter headers.",
    ),
    Explanation(
        "CX3015",
        "too many connections",
        "the server has as many connections as it takes",
        "Each connection takes memory and a file descriptor, which would run out otherwise.",
        "Keep connections and use them again instead of opening one for each request.",
    ),
    Explanation(
        "CX3016",
        "not an HTTP request",
        "this is not an HTTP/1.1 request",
        "The server speaks HTTP/1.1 without TLS; a proxy in front of it can speak the rest.",
        "Use http:// in the address, not https://.",
    ),
    Explanation(
        "CX3017",
        "malformed idempotency key",
        "an Idempotency-Key has 1 to 255 visible ASCII characters",
        "The key is compared letter by letter and kept; it has to be short and unambiguous.",
        "Use a UUID, a new one for each message.",
    ),
    Explanation(
        "CX3018",
        "idempotency key used twice",
        "the idempotency key {key} came before with another message",
        "The key says `this is the same message`; the answer to the first one would be wrong here.",
        "Use a new key for a new message, and the old key with the old text only.",
    ),
    Explanation(
        "CX3019",
        "defect of the server",
        "the server made a mistake",
        "This should not happen. The server goes on; only this request failed.",
        "Look for the request's id in the server's log, and report what stands there.",
    ),
    Explanation(
        "CX3020",
        "too many listeners",
        "as many clients listen to events as may",
        "Every event is copied to every listener.",
        "End a listener that is not needed, or listen once and share what you hear.",
    ),
    Explanation(
        "CX3021",
        "out of scope",
        "the token does not have the scope that this needs",
        "Each token is good for the work that it was made for; a stolen one then opens little.",
        "Ask whoever runs the server for a token with the scope that the message names: "
        "`caxton tokens create NAME --scope SCOPE`.",
    ),
    Explanation(
        "CX3022",
        "too often",
        "this was asked more often than the server's limit for costly requests allows",
        "Deployments, imports and the like take much of the server from everybody else.",
        "Wait as long as `Retry-After` says. The operator can raise limits.costly_per_minute.",
    ),
    Explanation(
        "CX3023",
        "too many wrong tokens",
        "from this address came too many requests with a wrong token",
        "Whoever may try as often as they like finds a short token in the end.",
        "Wait as long as `Retry-After` says, and look for a program with an old token. "
        "The operator can raise limits.failed_logins_per_minute.",
    ),
    Explanation(
        "CX3024",
        "name of a token is taken",
        "there is a token named {name} already",
        "A name stands in records for whoever used the token; it cannot mean two.",
        "Take another name, or revoke the old one: `caxton tokens revoke NAME`.",
    ),
    Explanation(
        "CX3025",
        "no such token",
        "there is no token named {name}",
        "What was meant to be revoked may hold still, under another name.",
        "List the tokens: `caxton tokens list`.",
    ),
    Explanation(
        "CX3026",
        "nobody left to administer",
        "after this there would be tokens, and nobody who may manage them",
        "From the first token on everybody has to show one, and only an administrator makes more.",
        "Create a token with the scope admin and without an end first, or give the server a token "
        "of its own: server.token.",
    ),
    Explanation(
        "CX3027",
        "too many messages",
        "with this token more messages were sent than it may send in the time",
        "Every message costs a model's work; a program that runs wild, or a stolen token, would "
        "spend what all others need. The message was not accepted.",
        "Wait as long as `Retry-After` says, then send it again. Whoever runs the server can raise "
        "limits.messages_per_minute, or create a token with a rate of its own: "
        "`caxton tokens create NAME --messages-per-minute N`.",
    ),
)
