"""What schemathesis needs to know about this service: who calls, what is there, and which values that the description
allows only stored state or another field can show to be wrong."""

import datetime
import json
import os
import re

import schemathesis
from hypothesis import strategies as st

KNOWN = json.loads(os.environ["DESCRIBED"])

# Of the years that the description names in words; a pattern after the fact would throw nearly all of them away.
INSTANTS = st.datetimes(min_value=datetime.datetime(2000, 1, 1), max_value=datetime.datetime(2199, 12, 31))
DAYS = st.dates(min_value=datetime.date(1900, 1, 1), max_value=datetime.date(2200, 12, 31))
schemathesis.openapi.format("date-time", INSTANTS.map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ")))
schemathesis.openapi.format("date", DAYS.map(str))

# A 422 for one of these is about what is stored, about another field, or about a rule that no schema can say.
MEANING = [
    r"^/\S+ there is no such (member|club)$",
    r"^/cursor is not a cursor of this list$",
    r"^/member is missing$",
    r"^/id must be the id in the path, or absent$",
    r"^/id is taken by another (class|series|closure of the club)$",
    r"^/starts_at lies (in the past|on a day on which the club is closed)$",
    r"^/to must be after `from`, by at most",
    r"^/to must (not be before `from`|be at most \d+ days from `from` on)$",
    r"^ cannot be stored: the club has as many closures as it may",
    r"^/minimum must not be above the capacity$",
    r"^/rrule (can|must|gives)",
    r"^/membership/(valid_)?(until|frozen/\d+/until) must not be before",
    r" must be a duration from ",
    r" must differ from `from`",
    r"^/\S*booking/closes_before must be shorter than",
    r"^/\S*attendance/check_in_(due|closes) must not be",
]
# Free-form by nature: merge patches over a policy, and over days. An organisation's policy is described whole.
FREE = re.compile(r"^/(policy|changes)(/|$)")


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """About every other call names something that is there."""
    if not path_parameters:
        return path_parameters
    known = KNOWN["ids"].get(context.operation.path.split("/")[2])
    for name, value in list(path_parameters.items()):
        if known and isinstance(value, str) and sum(value.encode("utf-8", "replace")) % 2:
            path_parameters[name] = known
    return path_parameters


@schemathesis.hook
def before_call(context, case, kwargs):
    path = case.operation.path
    role = "admin"
    if path.startswith(("/v1/orgs", "/v1/clock")):
        role = "operator"
    elif path.endswith("/accept") or path == "/v1/me":
        role = "member"
    case.headers = {**(case.headers or {}), "Authorization": "Bearer " + KNOWN["tokens"][role]}


@schemathesis.check
def what_is_described_is_taken(ctx, response, case):
    """Data that the description allows is never refused for its form."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in (400, 422):
        return
    problem = response.json()
    if problem["code"] == "idempotency_mismatch":
        return
    for error in problem.get("errors", [{"pointer": "", "detail": problem["detail"]}]):
        said = f"{error['pointer']} {error['detail']}"
        free = FREE.match(error["pointer"]) and case.operation.path != "/v1/orgs/{org}"
        about_meaning = free or any(re.search(one, said) for one in MEANING)
        # JSON Schema takes 5.0 for a whole number.
        written_so = "must be a whole number" in said and isinstance(at(case.body, error["pointer"]), float)
        assert about_meaning or written_so, f"{case.operation.label}: {said}"


def at(body, pointer):
    """The value that a JSON pointer without escapes names."""
    for name in pointer.split("/")[1:]:
        body = body[int(name)] if isinstance(body, list) else body.get(name)
    return body
