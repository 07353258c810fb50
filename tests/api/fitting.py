"""Does an answer fit the OpenAPI document? Asked of every answer that any of these tests is given."""

import re
from typing import Any

import httpx2
from jsonschema_rs import Draft202012Validator

PROBLEM = "application/problem+json"
UNDOCUMENTED = re.compile(r"/docs(/oauth2-redirect)?|/openapi\.json|/static/.*")
PAGES = re.compile(r"/verify(/.*)?", re.DOTALL)


class Document:
    """The OpenAPI document that a service publishes."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.components = {"components": document["components"]}
        self.problem = self._validator({"$ref": "#/components/schemas/Problem"})
        self.operations = [
            (method.upper(), _pattern(path), self._responses(operation))
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        ]

    def require_fit(self, response: httpx2.Response) -> None:
        """Raises AssertionError, saying where the answer differs from what the document says."""
        response.read()
        method, path = response.request.method, response.request.url.path
        if method == "HEAD":  # as GET, which is documented
            return
        told = f"{method} {path}: {response.status_code} {response.text[:2000]}"
        media_type = response.headers.get("content-type", "").partition(";")[0]
        if response.status_code >= 400 and PAGES.fullmatch(path):
            assert media_type == "text/html", told
        elif response.status_code >= 400:
            assert media_type == PROBLEM, told
            self._require(self.problem, response, told)
        elif not UNDOCUMENTED.fullmatch(path) and not response.is_redirect:
            documented = self._operation(method, path).get(str(response.status_code))
            assert documented is not None, f"no such status is documented: {told}"
            if response.status_code == 304:
                assert not response.content, told
                return
            assert media_type in documented, f"no such media type is documented: {told}"
            if media_type == "application/json" and (validator := documented[media_type]) is not None:
                self._require(validator, response, told)

    def _require(self, validator: Draft202012Validator, response: httpx2.Response, told: str) -> None:
        problems = [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(response.json())]
        assert not problems, f"{problems[:3]} in {told}"

    def _operation(self, method: str, path: str) -> dict[str, dict[str, Draft202012Validator | None]]:
        found = [responses for m, pattern, responses in self.operations if m == method and pattern.fullmatch(path)]
        assert found, f"{method} {path} is not documented"
        return found[0]

    def _responses(self, operation: dict[str, Any]) -> dict[str, dict[str, Draft202012Validator | None]]:
        return {
            status: {
                media_type: self._validator(content["schema"]) if "schema" in content else None
                for media_type, content in response.get("content", {}).items()
            }
            for status, response in operation["responses"].items()
        }

    def _validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        return Draft202012Validator(schema | self.components, validate_formats=True)


_published: list[Document] = []


def published_by(client: httpx2.Client) -> Document:
    """The document that the service publishes; it is the same of every service, and is read once."""
    if not _published:
        _published.append(Document(client.get("/openapi.json").json()))
    return _published[0]


def _pattern(path: str) -> re.Pattern[str]:
    inner = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
    return re.compile(re.sub(r"^/(status|verify)/\[\^/\]\+", r"/\1/.*", inner), re.DOTALL)
