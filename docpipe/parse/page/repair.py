"""A PDF whose tree of pages is lost -> its bytes with a new tree over the pages that are still there."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pymupdf

_MOST_OBJECTS = 200_000
"""Objects that are looked through."""


def with_new_page_tree(document: "pymupdf.Document", failures: tuple[type[Exception], ...]) -> bytes:
    """Bytes of a file in which every page object, in the order of its number, is a page again.

    Args:
        failures: what the engine raises for objects that cannot be read; those are passed over.

    Returns:
        Nothing where no page object is left, or where the file cannot be written anew.
    """
    pages = [number for number in range(1, _objects(document)) if _is_page(document, number, failures)]
    if not pages:
        return b""
    try:
        tree, kids = document.get_new_xref(), " ".join(f"{page} 0 R" for page in pages)
        document.update_object(tree, f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>")
        for page in pages:
            document.xref_set_key(page, "Parent", f"{tree} 0 R")
        _root(document, tree)
        return bytes(document.tobytes())
    except failures:
        return b""


def _objects(document: "pymupdf.Document") -> int:
    return min(int(document.xref_length()), _MOST_OBJECTS)


def _is_page(document: "pymupdf.Document", number: int, failures: tuple[type[Exception], ...]) -> bool:
    try:
        return bool(document.xref_get_key(number, "Type") == ("name", "/Page"))
    except failures:
        return False


def _root(document: "pymupdf.Document", tree: int) -> None:
    catalog = document.pdf_catalog()
    if catalog > 0:
        document.xref_set_key(catalog, "Pages", f"{tree} 0 R")
        return
    catalog = document.get_new_xref()
    document.update_object(catalog, f"<</Type/Catalog/Pages {tree} 0 R>>")
    document.xref_set_key(-1, "Root", f"{catalog} 0 R")
