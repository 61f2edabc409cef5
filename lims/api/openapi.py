"""The OpenAPI 3.1 document, written from the declarations and models that do the work."""

import re
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from lims.api.door import Door, Endpoint

_PATH_PART = re.compile(r"<(?:(\w+):)?(\w+)>")
_REF = "#/components/schemas/{model}"


def document(door: Door, *, version: str) -> dict[str, Any]:
    """The whole document. Shapes are those of the pydantic bodies and receipt dataclasses."""
    components = _components(door)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in door.endpoints:
        path = "/api/v1" + _PATH_PART.sub(r"{\2}", endpoint.path)
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Thần Tốc",
            "version": version,
            "description": (
                "Every write is idempotent by an id that the client mints (UUIDv7) or by the "
                "digest of its bytes: first 201, the same again 200, another body under the same "
                "id 409. Refusals are RFC 9457 problem documents."
            ),
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {
                "Problem": {
                    "description": "A refusal: what was expected, what came, what to do next.",
                    "content": {
                        "application/problem+json": {
                            "schema": {"$ref": _REF.format(model="Problem")}
                        }
                    },
                }
            },
        },
    }


def _components(door: Door) -> dict[str, Any]:
    bodies = [(e.body, "validation") for e in door.endpoints if e.body is not None]
    _, written = models_json_schema(bodies, ref_template=_REF)  # type: ignore[arg-type]  # the literal is kept by the list's type only
    schemas: dict[str, Any] = dict(written.get("$defs", {}))
    for endpoint in door.endpoints:
        answer = TypeAdapter(endpoint.answers).json_schema(ref_template=_REF, mode="serialization")
        schemas.update(answer.pop("$defs", {}))
        schemas[_answer_name(endpoint)] = answer
    schemas["Problem"] = _PROBLEM
    return schemas


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    kind = "text/event-stream" if endpoint.stream else "application/json"
    answer = {
        "description": "Server-sent events, each with one of these as its data."
        if endpoint.stream
        else "Done, or done before: the same receipt.",
        "content": {kind: {"schema": {"$ref": _REF.format(model=_answer_name(endpoint))}}},
    }
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": f"Needs a token with the scope `{endpoint.scope}`.",
        "security": [{"token": [str(endpoint.scope)]}],
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "string", **({"format": "uuid"} if kind == "uuid" else {})},
            }
            for kind, name in _PATH_PART.findall(endpoint.path)
        ]
        + (_STREAM_PLACE if endpoint.stream else []),
        "responses": {"200": answer, "default": {"$ref": "#/components/responses/Problem"}},
    }
    if endpoint.method == "POST":
        operation["responses"]["201"] = answer | {"description": "Done for the first time."}
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": _REF.format(model=endpoint.body.__name__)}}
            },
        }
    return operation


_STREAM_PLACE: list[dict[str, Any]] = [
    {
        "name": name,
        "in": where,
        "required": False,
        "description": "Go on after this place: the id of the last event, or a next_cursor.",
        "schema": {"type": "string", "format": "uuid"},
    }
    for name, where in (("Last-Event-ID", "header"), ("after", "query"))
]


def _answer_name(endpoint: Endpoint) -> str:
    return "".join(part.capitalize() for part in endpoint.name.split("_")) + "Answer"


_TEXTS = {
    "type": "/problems/<slug>, which has a page, or about:blank",
    "title": "the kind of problem in short",
    "detail": "all of it in one sentence",
    "expected": "what would have been right",
    "came": "what came instead; never a person's data",
    "where": "the place in the request or in the laboratory",
    "todo": "what to do next",
}
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": [*_TEXTS, "status"],
    "properties": {
        **{name: {"type": "string", "description": said} for name, said in _TEXTS.items()},
        "status": {"type": "integer"},
        "errors": {
            "description": "every fault of the body, by JSON pointer (RFC 6901)",
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
        "suggestions": {
            "description": "likely barcodes, the likeliest first",
            "type": "array",
            "items": {"type": "string"},
        },
    },
}
