"""The public API as text, so that a review sees each change of a name or a signature."""
