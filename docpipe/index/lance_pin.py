"""The version that readers are held at: said in the newest version's schema, and named so that no upkeep drops it."""

from typing import Any

from docpipe.index.lance_reading import Snapshots
from docpipe.index.lance_tables import Database
from docpipe.index.rows import PINNED_KEY

PUBLISHED = "published"
"""The name that keeps a held version from being cleaned away."""


class Pin:
    """Holds readers of one table, and lets them go."""

    def __init__(self, database: Database, name: str, *, snapshots: Snapshots) -> None:
        self._database, self._name, self._snapshots = database, name, snapshots

    def held(self) -> int:
        """The version that readers are held at; 0 for none."""
        return self._snapshots.latest().facts.pinned

    def hold(self) -> int:
        """Hold them at the present version; returns it, or the one where they are held already."""
        latest = self._snapshots.latest()
        if latest.facts.pinned or not latest.version:
            return latest.facts.pinned
        table: Any = self._database.table(self._name)
        # Named first: a name without a hold keeps some files, a hold without a name would lose them.
        self._unname(table)
        self._database.commit(lambda: table.tags.create(PUBLISHED, latest.version), doing="hold")
        self._say(table, str(latest.version))
        return latest.version

    def publish(self) -> int:
        """Let readers see what was written last; returns its version."""
        latest = self._snapshots.latest()
        table = self._database.table(self._name)
        if table is None:
            return 0
        if latest.facts.pinned:
            self._say(table, None)
        self._unname(table)
        return self._snapshots.latest().version

    def tidy(self) -> None:
        """Take back a name that holds nobody: a hold that was killed half way."""
        table = self._database.table(self._name)
        if table is not None and not self.held():
            self._unname(table)

    def _say(self, table: Any, version: str | None) -> None:
        update = {"path": "id", "metadata": {PINNED_KEY: version}}
        self._database.commit(lambda: table.update_field_metadata(update), doing="publish")

    def _unname(self, table: Any) -> None:
        with self._database.failing("publish"):
            if PUBLISHED in table.tags.list():
                table.tags.delete(PUBLISHED)
