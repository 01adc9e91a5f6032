"""What of Gradio answers: the routes of the installed version are all known, and all but a few are not found."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from ui.guard import GRADIO_PATHS, PAGES

from .served import HERE, MakeClient

# Every route of the Gradio that we test with, but for those that the guard lets through. An upgrade that adds one makes
# the test fail: decide whether the page needs it (then it goes into the guard), else put it here.
NOT_FOUND = frozenset(
    """
    /gradio_api/api/{api_name}
    /gradio_api/api/{api_name}/
    /gradio_api/call/v2/{api_name}
    /gradio_api/call/v2/{api_name}/
    /gradio_api/call/v2/{api_name}/{event_id}
    /gradio_api/call/{api_name}
    /gradio_api/call/{api_name}/
    /gradio_api/call/{api_name}/{event_id}
    /gradio_api/component_server
    /gradio_api/component_server/
    /gradio_api/custom_component/{id}/{environment}/{type}/{file_name}
    /gradio_api/deep_link
    /gradio_api/dev/reload
    /gradio_api/file/{path:path}
    /gradio_api/file={path_or_url:path}
    /gradio_api/info
    /gradio_api/info/
    /gradio_api/login_check
    /gradio_api/login_check/
    /gradio_api/openapi.json
    /gradio_api/process_recording
    /gradio_api/proxy={url_path:path}
    /gradio_api/queue/status
    /gradio_api/run-history/buckets
    /gradio_api/run-history/connect
    /gradio_api/run-history/records
    /gradio_api/run-history/records/{endpoint}/{record_id}/assets/{asset_id}
    /gradio_api/run/{api_name}
    /gradio_api/run/{api_name}/
    /gradio_api/runs
    /gradio_api/runs/
    /gradio_api/stream/{event_id}
    /gradio_api/stream/{event_id}/close
    /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist-file
    /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist.m3u8
    /gradio_api/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}
    /gradio_api/token
    /gradio_api/token/
    /gradio_api/undo-vibe-edit
    /gradio_api/undo-vibe-edit/
    /gradio_api/upload
    /gradio_api/upload_progress
    /gradio_api/user
    /gradio_api/user/
    /gradio_api/vibe-code
    /gradio_api/vibe-code/
    /gradio_api/vibe-edit
    /gradio_api/vibe-edit/
    /gradio_api/vibe-starter-queries
    /gradio_api/vibe-starter-queries/
    /login
    /login/
    /logout
    /monitoring
    /monitoring/summary
    /monitoring/{key}
    /openapi.json
    /pwa_icon
    /pwa_icon/{size}
    /robots.txt
    /svelte/{path:path}
    """.split()
)

LIST_ROUTES = """
import json
import gradio
from fastapi import FastAPI
def paths(routes):
    for route in routes:
        inner = getattr(getattr(route, "app", None), "routes", None) or getattr(
            getattr(route, "original_router", None), "routes", None)
        if inner:
            yield from paths(inner)
        elif getattr(route, "path", None):
            yield route.path
with gradio.Blocks(analytics_enabled=False) as page:
    gradio.HTML("")
app = gradio.mount_gradio_app(FastAPI(docs_url=None, redoc_url=None, openapi_url=None), page, "/", ssr_mode=False)
print(json.dumps(sorted(set(paths(app.routes)))))
"""


def gradio_routes(home: Path) -> list[str]:
    """Return the paths of Gradio's routes, from a process of its own: importing it warns, and takes seconds."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG")}
    environment = kept | {"HOME": str(home), "GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_TEMP_DIR": str(home)}
    command = [sys.executable, "-c", LIST_ROUTES]
    done = subprocess.run(command, env=environment, cwd=home, check=True, capture_output=True, text=True)
    return [str(path) for path in json.loads(done.stdout)]


def test_every_route_of_gradio_is_decided_on(tmp_path: Path) -> None:
    allowed = re.compile("|".join((*PAGES, *GRADIO_PATHS)))
    known = {path for path in gradio_routes(tmp_path) if not allowed.fullmatch(re.sub(r"\{[^}]*\}", "x", path))}
    assert known == NOT_FOUND


def test_with_the_page_mounted_they_are_not_found(make_client: MakeClient) -> None:
    client = make_client(page=True, allow_writes=True)
    ours = {"/login", "/openapi.json"}
    paths = [re.sub(r"\{[^}]*\}", "x", path) for path in sorted(NOT_FOUND - ours)]
    answers = {path: client.get(HERE + path).text for path in paths}
    assert [path for path, answer in answers.items() if '"not_found"' not in answer] == []
