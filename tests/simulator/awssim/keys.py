"""What an entry of a scenario may say. A mistyped key would change what a test means, so it is refused."""


def known(entry, keys, what):
    """`entry`; ValueError that names the first key it should not have."""
    if not isinstance(entry, dict):
        raise ValueError(f"{what} must be keys and values, not `{entry}`")
    strange = sorted(set(entry) - set(keys), key=str)
    if strange:
        raise ValueError(f"unknown key `{strange[0]}` in {what} (known: {', '.join(sorted(keys))})")
    return entry


def size_from(entry, key, otherwise):
    """A page's size: a whole number from 1."""
    size = int(entry.get(key, otherwise))
    if size < 1:
        raise ValueError(f"{key} must be at least 1")
    return size


class Place:
    """Where an entry applies; what it does not say, it does not care about."""

    def __init__(self, entry):
        self.account = str(entry["account"]) if "account" in entry else None
        self.region, self.group = entry.get("region"), entry.get("group")

    def covers(self, account, region, group=None):
        return (self.account in (None, account) and self.region in (None, region)
                and (group is None or self.group in (None, group)))
