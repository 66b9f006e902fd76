"""Keys that some providers do not take: each function says why, or None. Keys are bytes."""


def oss_refusal(key):
    if key[:1] in (b"/", b"\\"):
        return "The specified object is not valid: it begins with a slash or a backslash."
    return None


def gcs_refusal(key):
    if b"\r" in key or b"\n" in key:
        return "Object names must not contain carriage return or line feed."
    if key in (b".", b".."):
        return "Objects cannot be named . or .."
    if key.startswith(b".well-known/acme-challenge/"):
        return "Object names cannot start with .well-known/acme-challenge/."
    return None


def minio_refusal(key):
    """cmd/object-api-utils.go, cmd/generic-handlers.go (hasBadPathComponent), cmd/xl-storage.go."""
    why = "Object name contains unsupported characters."
    if key.startswith(b"/") or b"//" in key or b"\0" in key:
        return why
    try:
        key.decode()
    except UnicodeDecodeError:
        return why
    for segment in key.split(b"/"):
        if len(segment) > 255 or segment.strip() in (b".", b".."):
            return why
    return None
