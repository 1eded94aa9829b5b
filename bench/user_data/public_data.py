"""What tasks of public data share, whatever they are read as: the files that `imbench fetch` keeps."""

from __future__ import annotations

from bench.tasks.fetched_files import FetchedFiles


class PublicData:
    """A base of tasks that read `files` of the user's cache."""

    files: FetchedFiles

    @property
    def data_set(self) -> str:
        return self.files.name

    @property
    def how_to_get(self) -> str:
        return self.files.how_to_get

    @property
    def data_location(self) -> str:
        return ""
