"""POST /layout_parsing: what it takes, and how pages become its reply."""

import atexit
import base64
import binascii
import hashlib
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from standin import fields
from standin.counting import count
from standin.fields import FLAG, Field
from standin.refusals import Refusal, invalid

Boxes = Literal["pixels", "fractions", "thousandths", "nested"]
Sizes = Literal["both", "element", "info", "none"]
IMAGE_BYTES, PDF_BYTES = 10 * 2**20, 50 * 2**20
FIELDS = {
    "model": Field(types=(str,), required=True),
    "file": Field(types=(str,), required=True, shortest=1),
    "return_crop_images": FLAG,
    "need_layout_visualization": FLAG,
    "start_page_id": fields.whole(1),
    "end_page_id": fields.whole(1),
    "request_id": fields.REQUEST_ID,
    "user_id": fields.USER_ID,
}
MAGIC = {b"%PDF": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


_REMEMBERED = 256


class Reader:
    """Reads files in a process of its own, until Python ends; what was read lately is remembered by its digest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._known: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        atexit.register(self.close)

    def pages(self, data: bytes, media_type: str, first: int, last: int) -> list[dict[str, Any]]:
        """As `standin.reading.pages`; waits for the process.

        Raises:
            Refusal: 1214, the file cannot be read.
        """
        key = (hashlib.sha256(data).digest(), first, last)
        with self._lock:
            if key not in self._known:
                answer = self._ask({"data": data, "media_type": media_type, "first": first, "last": last})
                if isinstance(answer, str):
                    raise invalid(answer)
                while len(self._known) >= _REMEMBERED:
                    del self._known[next(iter(self._known))]
                self._known[key] = answer
            return self._known[key]

    def region(self, data: bytes, kind: str) -> tuple[str, int, int]:
        """As `standin.reading.region`; waits for the process.

        Raises:
            Refusal: 1214, not an image.
        """
        with self._lock:
            answer = self._ask({"data": data, "kind": kind})
        if isinstance(answer, str):
            raise invalid(answer)
        return answer  # type: ignore[no-any-return]

    def _ask(self, request: Mapping[str, Any]) -> Any:
        if self._process is None:
            paths = [str(Path(__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
            self._process = subprocess.Popen(
                [sys.executable, "-m", "standin.reading"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            )
        assert self._process.stdin and self._process.stdout
        data = pickle.dumps(request)
        self._process.stdin.write(struct.pack("!Q", len(data)) + data)
        self._process.stdin.flush()
        if not (head := self._process.stdout.read(8)):
            raise RuntimeError("the reading process ended; its error is above")
        size = struct.unpack("!Q", head)[0]
        return pickle.loads(self._process.stdout.read(size))

    def close(self) -> None:
        """End the process."""
        with self._lock:
            if self._process is not None:
                assert self._process.stdin and self._process.stdout
                self._process.stdin.close()
                self._process.wait()
                self._process.stdout.close()
                self._process = None


@cache
def reader() -> Reader:
    """The one of this process."""
    return Reader()


def file_of(body: Mapping[str, Any]) -> tuple[bytes, str]:
    """The file's bytes and media type, decided by its first bytes.

    Raises:
        Refusal: not a data URI, another kind of file, or too large.
    """
    fields.check(body, FIELDS)
    if body["model"] != "glm-ocr":
        raise Refusal(code="1211")
    head, comma, encoded = body["file"].partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        raise invalid("file must be a data URI (this platform fetches no addresses)")
    try:
        data = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise invalid("file is not base64") from error
    media_type = next((kind for magic, kind in MAGIC.items() if data.startswith(magic)), "")
    if not media_type:
        raise invalid("file must be PDF, JPG or PNG")
    if head != f"data:{media_type};base64":
        raise invalid(f"file says {head[5:-7]} and is {media_type}")
    if len(data) > (PDF_BYTES if media_type == "application/pdf" else IMAGE_BYTES):
        raise invalid("file is too large")
    if media_type != "application/pdf" and (body.get("start_page_id") or body.get("end_page_id")):
        raise invalid("page ranges are for PDF")
    if (body.get("end_page_id") or 10**9) < (body.get("start_page_id") or 1):
        raise invalid("end_page_id lies before start_page_id")
    return data, media_type


def reply(pages: Sequence[Mapping[str, Any]], *, boxes: Boxes, sizes: Sizes, crops: bool = False) -> dict[str, Any]:
    """Pages -> the platform's reply."""
    details = [_details(page, boxes, sizes, crops) for page in pages]
    markdown = [_markdown(page, n, details[n]) for n, page in enumerate(pages)]
    info: dict[str, Any] = {"num_pages": pages[0]["total"] if pages else 0}
    if sizes in ("both", "info"):
        info["pages"] = [{"width": page["width"], "height": page["height"]} for page in pages]
    text = "\n\n".join(part for part in markdown if part)
    prompt, completion = sum(_image_tokens(page) for page in pages), count(text)
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    return {"model": "GLM-OCR", "md_results": text, "layout_details": details, "data_info": info, "usage": usage}


def _image_tokens(page: Mapping[str, Any]) -> int:
    return max(1, int(page["width"] * page["height"] / 28 / 28 / 4))


def _details(page: Mapping[str, Any], boxes: Boxes, sizes: Sizes, crops: bool) -> list[dict[str, Any]]:
    details = []
    for index, element in enumerate(page["elements"]):
        detail = {
            "index": index,
            "label": element["label"],
            "native_label": element["native_label"],
            "bbox_2d": box_of(element["box"], page, boxes) if element["box"] else None,
            "content": element["content"],
        }
        if element["label"] == "image" and crops:
            detail["content"] = f"https://files.example.com/crops/{page['mark']}-{index}.png"
        if sizes in ("both", "element"):
            detail |= {"height": page["height"], "width": page["width"]}
        details.append(detail)
    return details


def box_of(box: Sequence[float], page: Mapping[str, Any], boxes: Boxes) -> list[Any]:
    """A box of fractions as the service writes it."""
    if boxes == "fractions":
        return [round(value, 4) for value in box]
    across, down = (1000, 1000) if boxes == "thousandths" else (page["width"], page["height"])
    scaled = [round(box[0] * across), round(box[1] * down), round(box[2] * across), round(box[3] * down)]
    return [scaled] if boxes == "nested" else scaled


def _markdown(page: Mapping[str, Any], number: int, details: Sequence[Mapping[str, Any]]) -> str:
    parts = []
    for detail in details:
        if detail["label"] == "image":
            box = detail["bbox_2d"]
            parts.append(f"![]({detail['content'] or f'page={number},bbox={box}'})")
        elif detail["label"] in ("text", "table", "formula") and detail["content"]:
            parts.append(detail["content"])
    return "\n\n".join(parts)
