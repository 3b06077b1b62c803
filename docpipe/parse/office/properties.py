"""An Office package's own account of itself -> metadata."""

from docpipe.parse.office.names import CORE_PROPERTIES
from docpipe.parse.office.package import Package


def core_properties(package: Package) -> dict[str, str]:
    """Title, author, subject, keywords, language and dates (ISO 8601), as far as the package tells them."""
    tree = package.tree("docProps/core.xml")
    found: dict[str, str] = {}
    for element in tree if tree is not None else ():
        name = CORE_PROPERTIES.get(element.tag)
        if name and element.text and element.text.strip():
            found[name] = element.text.strip()[:1000]
    return found
