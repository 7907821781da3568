"""Files put together by hand, for the tests of what `load` refuses."""

import json

import safetensors.numpy

from fastnn.model_file import container


def header_end(content):
    return 8 + int.from_bytes(content[:8], "little")


def with_header(text, data=b""):
    return len(text).to_bytes(8, "little") + text + data


def description_of(content):
    """Return the description in the file's metadata, the digest included."""
    header = json.loads(content[8 : header_end(content)])
    return json.loads(header["__metadata__"]["fastnn"])


def edited_header(content, edit):
    """The file with its header edited; the digest stays as it was."""
    end = header_end(content)
    header = json.loads(content[8:end])
    edit(header)
    return with_header(json.dumps(header).encode(), content[end:])


def with_description(content, text):
    """The file with another text for its description."""
    return edited_header(content, lambda header: header["__metadata__"].update(fastnn=text))


def forged(content, edit):
    """The file with its description edited in place, and the digest made to match."""
    description = description_of(content)
    del description["sha256"]
    edit(description)
    return container.encode(description, safetensors.numpy.load(content))
