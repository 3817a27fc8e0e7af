"""Other firewalls of a host: what they are told to be, and what they do with a connection, as far as that is known."""

from ringfence.beside.judging import Finding
from ringfence.beside.report import Others, read_report, unpacked

__all__ = ["Finding", "Others", "read_report", "unpacked"]
