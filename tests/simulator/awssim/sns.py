"""SNS by the query protocol: Publish (standard, FIFO, phone) and GetTopicAttributes."""

import json
import re
import uuid
from xml.sax.saxutils import escape

from .errors import AwsError
from .model import Model

MESSAGE_MAX = 262_144
DEDUP_S = 300
VERSION = "2010-03-31"


class Sns:
    """Keeps what was published in the world's list, where tests read it back."""

    signing_name, action_prefix, version = "sns", "sns", VERSION

    def __init__(self, world):
        self.world, self.model = world, Model("sns")
        self.operations = {"Publish": self._publish, "GetTopicAttributes": self._attributes}

    def call(self, operation, request, key, region, now, _twist):
        self.model.check(self.model.operation(operation).input_shape, request)
        return self.operations[operation](request, key, region, now)

    def _topic(self, arn, key, region, action):
        if not re.fullmatch(r"arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w-]{1,256}(\.fifo)?", arn) or arn.split(":")[3] != region:
            raise AwsError("invalid_parameter", "Invalid parameter: TopicArn")
        topic = self.world.topics.get(arn)
        if topic is None:
            raise AwsError("not_found", "Topic does not exist")
        if key.account not in topic.publishers:
            raise AwsError("denied", f"User: {key.arn} is not authorized to perform: SNS:{action} on resource: {arn} "
                           f"because no resource-based policy allows the SNS:{action} action")
        return topic

    def _publish(self, request, key, region, now):
        targets = [name for name in ("TopicArn", "TargetArn", "PhoneNumber") if request.get(name)]
        if len(targets) != 1:
            raise AwsError("invalid_parameter", "Invalid parameter: TopicArn or TargetArn Reason: exactly one of TopicArn, "
                           "TargetArn and PhoneNumber is required")
        topic = None
        if targets == ["PhoneNumber"]:
            if not re.fullmatch(r"\+[1-9]\d{1,14}", request["PhoneNumber"]):
                raise AwsError("invalid_parameter", "Invalid parameter: PhoneNumber Reason: is not valid to publish to")
        else:
            topic = self._topic(request[targets[0]], key, region, "Publish")
        _check_message(request, phone=topic is None)
        message_id, sequence, duplicate = self._accept(topic, request, now)
        record = {"MessageId": message_id, "time": now, "account": key.account, "region": region, "duplicate": duplicate,
                  **request}
        with self.world.lock:
            self.world.published.append(record)
        more = f"<SequenceNumber>{sequence}</SequenceNumber>" if sequence else ""
        return f"<MessageId>{message_id}</MessageId>{more}"

    def _accept(self, topic, request, now):
        """-> (message id, sequence number or None, was it a duplicate that nobody gets)"""
        fresh = str(uuid.uuid4())
        if topic is None or not topic.fifo:
            if request.get("MessageGroupId") or request.get("MessageDeduplicationId"):
                raise AwsError("invalid_parameter", "Invalid parameter: MessageGroupId Reason: The request includes "
                               "MessageGroupId parameter that is not valid for this topic type")
            return fresh, None, False
        if not request.get("MessageGroupId"):
            raise AwsError("invalid_parameter", "Invalid parameter: The MessageGroupId parameter is required for FIFO topics")
        for name in ("MessageGroupId", "MessageDeduplicationId"):
            if not re.fullmatch(r"[!-~]{1,128}", request.get(name, "x")):
                raise AwsError("invalid_parameter", f"Invalid parameter: {name}")
        dedup = request.get("MessageDeduplicationId") or (request["Message"] if topic.content_dedup else None)
        if not dedup:
            raise AwsError("invalid_parameter", "Invalid parameter: The topic should either have ContentBasedDeduplication "
                           "enabled or MessageDeduplicationId provided explicitly")
        with self.world.lock:
            known = topic.seen.get(dedup)
            if known and now - known[0] < DEDUP_S:
                return known[1], known[2], True
            topic.sequence += 1
            topic.seen[dedup] = (now, fresh, topic.sequence)
        return fresh, topic.sequence, False

    def _attributes(self, request, key, region, _now):
        topic = self._topic(request["TopicArn"], key, region, "GetTopicAttributes")
        values = {
            "TopicArn": topic.arn, "Owner": topic.account, "DisplayName": "", "Policy": "{}",
            "SubscriptionsConfirmed": topic.subscriptions, "SubscriptionsPending": 0, "SubscriptionsDeleted": 0,
        }
        if topic.fifo:
            values.update({"FifoTopic": "true", "ContentBasedDeduplication": str(topic.content_dedup).lower()})
        entries = "".join(f"<entry><key>{name}</key><value>{escape(str(value))}</value></entry>"
                          for name, value in values.items())
        return f"<Attributes>{entries}</Attributes>"


def _check_message(request, phone):
    message, subject = request["Message"], request.get("Subject")
    attributes = request.get("MessageAttributes", {})
    if not message:
        raise AwsError("invalid_parameter", "Invalid parameter: Empty message")
    size = len(message.encode()) + sum(
        len(name.encode()) + len(value.get("DataType", "")) + len(value.get("StringValue", "").encode())
        for name, value in attributes.items())
    if size > MESSAGE_MAX or (phone and len(message) > 1600):
        raise AwsError("invalid_parameter", "Invalid parameter: Message too long")
    if subject is not None and (not re.fullmatch(r"[!-~][ -~]*", subject) or len(subject) >= 100):
        raise AwsError("invalid_parameter", "Invalid parameter: Subject")
    for name, value in attributes.items():
        _check_attribute(name, value)
    structure = request.get("MessageStructure")
    if structure not in (None, "json"):
        raise AwsError("invalid_parameter", "Invalid parameter: MessageStructure")
    if structure == "json":
        _check_structure(message)


def _check_attribute(name, value):
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,256}", name) or re.match(r"(?i)(aws|amazon)\.", name) and not name.startswith("AWS.SNS."):
        raise AwsError("invalid_parameter", f"Invalid parameter: Message attribute name '{name}'")
    if value.get("DataType") not in ("String", "Number", "String.Array", "Binary") or not value.get("StringValue"):
        raise AwsError("validation", f"The message attribute '{name}' must contain non-empty message attribute value.",
                       code="ParameterValueInvalid")
    if any(ord(char) > 0xFFFF for char in value["StringValue"]):
        raise AwsError("validation", f"Invalid non-UTF8 character in attribute '{name}'", code="ParameterValueInvalid")


def _check_structure(message):
    def pairs(items):
        if len({name for name, _ in items}) != len(items):
            raise ValueError("duplicate keys")
        return dict(items)

    try:
        parsed = json.loads(message, object_pairs_hook=pairs)
    except ValueError:
        raise AwsError("invalid_parameter", "Invalid parameter: Message Structure - JSON message body failed to parse") from None
    if not isinstance(parsed, dict) or not isinstance(parsed.get("default"), str):
        raise AwsError("invalid_parameter", "Invalid parameter: Message Structure - No default entry in JSON message body")
    if any(not isinstance(value, str) for value in parsed.values()):
        raise AwsError("invalid_parameter", "Invalid parameter: Message Structure - values must be strings")
