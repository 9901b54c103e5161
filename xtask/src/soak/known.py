"""Gives schemathesis things that are there: half of the keys that it makes up are replaced by those of a customer, a
token, a plan and a sale, so that it gets past "not found"."""

import json
import os
import urllib.request
import zlib

import schemathesis

BASE, KEY = os.environ["PERENNIAL_SOAK_URL"], os.environ["PERENNIAL_SOAK_KEY"]


def made(path, **members):
    headers = {"api-key": KEY, "Content-Type": "application/json"}
    request = urllib.request.Request(f"{BASE}/rest/v2/{path}", json.dumps(members).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["payload"]


customer = made("customers", **{"first-name": "Ada", "last-name": "Byron"})["customer"]["customer-key"]
owned = {"customer-key": customer}
token = made("tokens", **owned, **{"card": "4111111111111111", "exp-date": "1230"})["tokenResponse"]["token-id"]
term = {"start-date": "2027-01-01", "end-date": "2027-12-31", "frequency": "MONTHLY", "payment-amount": "50.00"}
plan = made("payment-plans", **owned, **term, **{"token-id": token})["payment-plan"]["plan-key"]
sale = made("transactions/sale", card=token, amount="25.00")["transaction"]["id"]
KNOWN = {"customer-key": customer, "token-id": token, "plan-key": plan, "id": sale}


def with_known(context, values):
    if isinstance(values, dict) and context.operation.method.upper() != "DELETE":
        for name in KNOWN.keys() & values.keys():
            if zlib.crc32(repr(values[name]).encode()) % 2:
                values[name] = KNOWN[name]
    return values


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    return with_known(context, path_parameters)


@schemathesis.hook
def map_query(context, query):
    return with_known(context, query)


@schemathesis.hook
def map_body(context, body):
    return with_known(context, body)
