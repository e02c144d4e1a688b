"""What a model can do: from what is known, from what its server says, or by asking it."""

import json

import msgspec

from caxton_adapters.providers.openai.families import family
from caxton_adapters.providers.openai.service import CallFailed, ChatService
from caxton_adapters.providers.openai.wire import (
    ChatRequest,
    Function,
    FunctionTool,
    ListedModel,
    LlamaProperties,
    NamedSchema,
    ReceivedMessage,
    SchemaFormat,
    SentMessage,
)
from caxton_adapters.providers.settings import ProviderKind, ProviderSettings, ToolMode
from caxton_core.conversation.model import (
    Feature,
    ModelCapabilities,
    ModelNotFound,
    NotPermitted,
    RequestRefused,
    ServiceFault,
    ToolSupport,
)
from caxton_core.primitives import TokenCount

SECONDS = 30.0
PROBE_TOKENS = 64
PROBE_SCHEMA = msgspec.Raw(
    b'{"type":"object","properties":{"word":{"type":"string","enum":["yes"]}},'
    b'"required":["word"],"additionalProperties":false}'
)
PROBE_WORDS = {"word": "yes"}
PROBE_TOOL = FunctionTool(Function("say", "Say a word.", PROBE_SCHEMA))
PROBE_FORMAT = SchemaFormat(NamedSchema("say", PROBE_SCHEMA))
SETTLED = {
    ToolMode.NATIVE: ToolSupport.NATIVE,
    ToolMode.EMULATED: ToolSupport.EMULATED,
    ToolMode.NONE: ToolSupport.NONE,
}


async def discovered(
    service: ChatService, settings: ProviderSettings, model: str
) -> ModelCapabilities:
    """Find out about a model; raises `CallFailed` where the service cannot be asked.

    What the operator settled about tools is believed. A llama.cpp server knows its chat template,
    and some services list what their models can do; where nobody says it, the model is asked to
    call a tool and to fit a schema, because a service may ignore both without a word.
    """
    known = family(model) if settings.kind is ProviderKind.OPENAI else None
    found = known.capabilities if known is not None else await _asked(service, model)
    settled = SETTLED.get(settings.tools, found.tools)
    return ModelCapabilities(settled, found.features, found.context_length)


async def _asked(service: ChatService, model: str) -> ModelCapabilities:
    properties = await service.llama_properties(SECONDS)
    if properties is not None:
        return _of_llama(properties)
    listed = await _listed(service, model)
    if listed.supported_parameters is not None:
        return _of_listed(listed, frozenset(listed.supported_parameters))
    fits = await _fits_a_schema(service, model)
    tools = _tools(native=await _calls_a_tool(service, model), schemas=fits)
    return ModelCapabilities(tools, _features(schemas=fits), _context(listed))


def _of_llama(properties: LlamaProperties) -> ModelCapabilities:
    """llama.cpp holds any model to a schema by its grammar."""
    template = properties.chat_template_caps
    tools = _tools(native=template.supports_tools and template.supports_tool_calls, schemas=True)
    features = _features(schemas=True)
    if properties.modalities.vision:
        features |= {Feature.VISION}
    context = properties.default_generation_settings.n_ctx
    return ModelCapabilities(tools, features, TokenCount(context) if context else None)


def _of_listed(listed: ListedModel, parameters: frozenset[str]) -> ModelCapabilities:
    schemas = "structured_outputs" in parameters
    tools = _tools(native="tools" in parameters, schemas=schemas)
    return ModelCapabilities(tools, _features(schemas=schemas), _context(listed))


def _tools(*, native: bool, schemas: bool) -> ToolSupport:
    if native:
        return ToolSupport.NATIVE
    return ToolSupport.EMULATED if schemas else ToolSupport.NONE


def _features(*, schemas: bool) -> frozenset[Feature]:
    streaming = frozenset({Feature.STREAMING})
    return streaming | {Feature.STRUCTURED_OUTPUT} if schemas else streaming


def _context(listed: ListedModel) -> TokenCount | None:
    trained = None if listed.meta is None else listed.meta.n_ctx_train
    said = listed.max_model_len or listed.context_length or listed.context_window or trained
    return TokenCount(said) if said and said > 0 else None


async def _listed(service: ChatService, model: str) -> ListedModel:
    """The model's entry in the list; empty where the service lists nothing."""
    try:
        models = await service.models(SECONDS)
    except CallFailed as failed:
        if isinstance(failed.failure, RequestRefused | ModelNotFound):
            return ListedModel(model)
        raise
    return next((listed for listed in models if listed.id == model), ListedModel(model))


async def _calls_a_tool(service: ChatService, model: str) -> bool:
    words = [SentMessage("user", "Call the tool with the word yes.")]
    body = ChatRequest(model, words, (PROBE_TOOL,), 0.0, PROBE_TOKENS, tool_choice="required")
    message = await _probed(service, body)
    return bool(message.tool_calls)


async def _fits_a_schema(service: ChatService, model: str) -> bool:
    words = [SentMessage("user", "Hello! How are you?")]
    body = ChatRequest(model, words, (), 0.0, PROBE_TOKENS, response_format=PROBE_FORMAT)
    message = await _probed(service, body)
    try:
        fits: bool = json.loads(message.content or "") == PROBE_WORDS
    except (ValueError, RecursionError):
        return False
    return fits


async def _probed(service: ChatService, body: ChatRequest) -> ReceivedMessage:
    """What a model answers to a probe; a service that refuses the probe answers nothing."""
    try:
        response = await service.complete(body, SECONDS)
    except CallFailed as failed:
        if isinstance(failed.failure, RequestRefused | ServiceFault | NotPermitted):
            return ReceivedMessage()
        raise
    choices = response.choices or ()
    return next((choice.message for choice in choices if choice.message), ReceivedMessage())
