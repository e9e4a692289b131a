"""What the service models say of a request: botocore's, with a list of what its Debian version does not know yet."""

import urllib.parse

import botocore.loaders
import botocore.model
import botocore.validate

from .errors import AwsError

LOADER = botocore.loaders.Loader()
LATEST_S = 253_402_300_799  # the end of the year 9999
# shape -> values that newer models have
NEWER_ENUMS = {"TimeRangeType": ("Service",)}
# service -> {operation of newer models: its method and path}; those here take no members
NEWER_OPERATIONS = {"xray": {"GetTraceSegmentDestination": ("POST", "/GetTraceSegmentDestination")}}
# (shape, member): members of newer models; the stand-in takes and ignores them
NEWER_MEMBERS = set()


class Model:
    """One service's operations and shapes."""

    def __init__(self, name):
        self.name = name
        self.service = botocore.model.ServiceModel(LOADER.load_service_model(name, "service-2"), name)
        self.validator = botocore.validate.ParamValidator()

    def operation(self, name):
        if name not in self.service.operation_names:
            return None
        return self.service.operation_model(name)

    def paths(self, operations):
        """(method, path) -> operation, for a REST service."""
        found = {}
        for name in operations:
            model = self.operation(name)
            at = (model.http["method"], model.http["requestUri"]) if model else NEWER_OPERATIONS[self.name][name]
            found[at] = name
        return found

    def check_operation(self, name, request):
        """As check(), for an operation that the model may be too old to know."""
        model = self.operation(name)
        if model:
            self.check(model.input_shape, request)
        elif request != {}:
            raise AwsError("serialization", f"{name} takes no members")

    def check(self, shape, value):
        """AwsError naming the member when `value` is not what the shape says; enums and unknown members included."""
        problems = list(_strangers(shape, value, shape.name))
        if problems:
            raise AwsError("serialization", problems[0])
        report = self.validator.validate(value, shape)
        if report.has_errors():
            raise AwsError("validation", "1 validation error detected: " + report.generate_report().splitlines()[0])


def _strangers(shape, value, path):
    """Unknown members, nulls, members of a wrong JSON type and values outside an enum, anywhere below."""
    if value is None:
        yield f"{path} may not be null"
    elif shape.type_name == "structure":
        if not isinstance(value, dict):
            yield f"{path} must be an object"
            return
        for name, member in value.items():
            if (shape.name, name) in NEWER_MEMBERS:
                continue
            if name not in shape.members:
                yield f"{path}.{name}: {shape.name} has no such member"
            else:
                yield from _strangers(shape.members[name], member, f"{path}.{name}")
    elif shape.type_name == "list":
        if not isinstance(value, list):
            yield f"{path} must be a list"
            return
        for number, member in enumerate(value):
            yield from _strangers(shape.member, member, f"{path}.{number}")
    elif shape.type_name == "string":
        allowed = getattr(shape, "enum", None)
        if not isinstance(value, str):
            yield f"{path} must be a string"
        elif allowed and value not in allowed and value not in NEWER_ENUMS.get(shape.name, ()):
            yield f"Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy enum value set: {allowed}"
    elif shape.type_name == "timestamp":
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= LATEST_S:
            yield f"{path} must be epoch seconds"
    elif shape.type_name in ("integer", "long") and (isinstance(value, bool) or not isinstance(value, int)):
        yield f"{path} must be an integer"
    elif shape.type_name == "boolean" and not isinstance(value, bool):
        yield f"{path} must be true or false"


def read_query(body, shape):
    """A query protocol body as nested values of `shape`, its Action and Version apart: (values, action, version)."""
    flat = {}
    for name, value in urllib.parse.parse_qsl(body.decode("utf-8"), keep_blank_values=True, strict_parsing=bool(body)):
        if name in flat:
            raise AwsError("serialization", f"Key {name} appears twice")
        flat[name] = value
    action, version = flat.pop("Action", None), flat.pop("Version", None)
    if shape is None:
        return {}, action, version
    used = set()
    values = _from_query(shape, "", flat, used)
    left = sorted(set(flat) - used)
    if left:
        raise AwsError("serialization", f"Unknown parameter {left[0]}")
    return values or {}, action, version


def _from_query(shape, prefix, flat, used):
    if shape.type_name == "structure":
        result = {}
        for name, member in shape.members.items():
            value = _from_query(member, f"{prefix}.{name}" if prefix else name, flat, used)
            if value is not None:
                result[name] = value
        return result or None
    if shape.type_name == "map":
        return _numbered(flat, f"{prefix}.entry", lambda at: (
            _from_query(shape.key, f"{at}.Name", flat, used), _from_query(shape.value, f"{at}.Value", flat, used)), dict)
    if shape.type_name == "list":
        return _numbered(flat, f"{prefix}.member", lambda at: _from_query(shape.member, at, flat, used), list)
    if prefix not in flat:
        return None
    used.add(prefix)
    text = flat[prefix]
    if shape.type_name in ("integer", "long"):
        try:
            return int(text)
        except ValueError:
            raise AwsError("validation", f"{prefix} must be an integer") from None
    if shape.type_name == "boolean":
        return text == "true"
    return text


def _numbered(flat, prefix, read, make):
    """Entries PREFIX.1, PREFIX.2 … without a gap."""
    found, number = [], 1
    while any(name == f"{prefix}.{number}" or name.startswith(f"{prefix}.{number}.") for name in flat):
        found.append(read(f"{prefix}.{number}"))
        number += 1
    return make(found) if found else None
