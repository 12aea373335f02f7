"""What tests/fuzz.sh adds to schemathesis: other headers with each request, one check, and a count of what was answered."""

import atexit
import collections
import json
import os
import random
import time

import schemathesis

OWN = os.environ["FUZZ_TOKEN"]
# A stream has no end to wait for: tests/it/documented.rs holds it against the document.
ENDLESS = "text/event-stream"
ODD = ["*/*", "text/html;q=0.9, */*;q=0.1", "application/*", "nonsense", "text/plain;q=x", ";;,,", ""]

# One of its own: what hypothesis draws stays what it was.
chance = random.Random()
answered = collections.Counter()
spent = collections.Counter()
lost = collections.Counter()
began = time.monotonic()


def operation(case):
    return f"{case.method.upper()} {case.path}"


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """The own token stays."""
    if path_parameters and path_parameters.get("name") == OWN:
        return {**path_parameters, "name": f"{OWN}-2"}
    return path_parameters


@schemathesis.hook
def before_call(context, case, kwargs):
    """The document cannot say that Accept varies; and nobody waits for acts, but now and then."""
    document = case.operation.schema.raw_schema["paths"].get(case.path, {})
    answers = document.get(case.method.lower(), {}).get("responses", {}).values()
    kinds = sorted({kind for one in answers for kind in one.get("content", {})} - {ENDLESS})
    if chance.random() < 0.8:
        case.headers["Accept"] = chance.choice(kinds + ODD) if chance.random() < 0.7 else ", ".join(kinds)
    if chance.random() < 0.99:
        case.headers["Prefer"] = "respond-async"
    # A client that is slow to ask again would find that a connection at rest has just been closed.
    case.headers["Connection"] = "close"


@schemathesis.hook
def after_call(context, case, response):
    answered[response.status_code] += 1
    spent[operation(case)] += response.elapsed


@schemathesis.hook
def after_network_error(context, case, request):
    lost[operation(case)] += 1


@schemathesis.check
def refusals_are_meant(ctx, response, case):
    """Where a server's error is declared, it is a refusal and no mistake."""
    if response.status_code >= 500:
        code = json.loads(response.content).get("code")
        assert code == "not_admitted", f"{response.status_code} with the code {code}"


@atexit.register
def told():
    seconds = time.monotonic() - began
    total = sum(answered.values())
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(answered.items()))
    print(f"answered {total} requests in {seconds:.0f} s, {total / seconds:.0f} a second ({statuses})")
    print(f"{time.process_time():.0f} s of a core went to asking")
    slow = ", ".join(f"{name} {taken:.1f} s" for name, taken in spent.most_common(5))
    print(f"waited longest for {slow}")
    if lost:
        print(f"not answered: {dict(lost)}")
