"""`make api`: write the public API and the messages anew."""

from . import api, messages

api.FILE.write_text(api.public_api())
messages.FILE.write_text(messages.written(messages.messages()))
