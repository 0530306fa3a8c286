"""`make release`: all of a release but the upload."""
