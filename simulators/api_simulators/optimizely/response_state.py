"""The response side of a client as part of the state document."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from api_simulators.optimizely.model import Client


def describe(client: Client) -> dict[str, Any]:
    """Return responses, export files with their rows, what waits for a job, waves and links."""
    data = client.responses
    return {
        "mails": len(data.mails),
        "responses": [asdict(row) for row in data.responses],
        "export_files": [
            {
                "number": file.number,
                "stream": file.stream,
                "created": file.created,
                "modified": file.modified,
                "rows": [list(row.cells) for row in file.rows],
            }
            for file in data.files.files
        ],
        "waiting": [
            {"stream": happening.stream, "time": happening.time, "noted": noted}
            for noted, happening in data.waiting
        ],
        "waves": [asdict(wave) for wave in data.waves.values()],
        "links": [asdict(link) for link in data.links.values()],
        "campaigns": {str(number): name for number, name in data.campaigns.items()},
    }
