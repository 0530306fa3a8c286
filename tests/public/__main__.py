"""`make api`: write the public API anew."""

from .api import FILE, public_api

FILE.write_text(public_api())
