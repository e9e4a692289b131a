"""What an answer left for its next pages, by token. A token is good for the request that it was given to, and no other."""

import base64
import collections
import hashlib
import json
import os
import threading

TOKENS_MAX = 1000  # the oldest go first


class Pages:
    def __init__(self):
        self.kept = collections.OrderedDict()  # token -> (request's digest, what is still to be sent)
        self.lock = threading.Lock()

    def keep(self, request, rest, token=None):
        """The token (a new one unless `token` is given) under which `rest` waits."""
        token = token or base64.urlsafe_b64encode(os.urandom(48)).decode()
        with self.lock:
            self.kept[token] = (_digest(request), rest)
            while len(self.kept) > TOKENS_MAX:
                self.kept.popitem(last=False)
        return token

    def find(self, request):
        """What waits under the request's token; None when the token is not ours or another request's."""
        with self.lock:
            kept = self.kept.get(request["NextToken"])
        return kept[1] if kept and kept[0] == _digest(request) else None


def _digest(request):
    """Same request but for the token?"""
    same = {name: value for name, value in request.items() if name != "NextToken"}
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()
