"""Mails (eml, msg) -> subject, sender and receivers, body; the names of what is attached."""

from collections.abc import Iterator
from dataclasses import dataclass

from docpipe.parse.office.letters import write_letter
from docpipe.parse.office.mime import is_encrypted, read_mail
from docpipe.parse.office.outlook import read_message
from docpipe.parse.office.package import encrypted, within_depth
from docpipe.parse.office.paper import Paper
from docpipe.types import Blob, Document

_OLE = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, kw_only=True)
class MailParser:
    """Mails: the plain text unless the HTML says much more. Enclosed mails follow; attached files are only named.

    Sender, receivers, date and names of attached files are furniture, and metadata: `author`, `to`, `date`,
    `attachments`. The title is the subject with the sender's name and the day.
    """

    VERSION = 2

    def __call__(self, blob: Blob, /) -> Iterator[Document]:
        """One document.

        Raises:
            CorruptSource: a saved Outlook message is damaged.
            EncryptedSource: its text is for its receivers' keys only.
        """
        with within_depth(blob.source):
            letter, metadata = read_message(blob) if blob.data.startswith(_OLE) else read_mail(blob.data)
            if not letter.bodies and not letter.letters and not blob.data.startswith(_OLE) and is_encrypted(blob.data):
                raise encrypted(blob.source)
            paper = Paper()
            write_letter(letter, paper)
            document = paper.document(blob.source, metadata)
        yield document
