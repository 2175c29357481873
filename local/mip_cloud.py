"""MIP Cloud's stand-in: one session per user, a sample organisation, faults on demand.

`MipCloud` is the service without HTTP, and `MipCloudServer` serves one on 127.0.0.1.
"""

from local.mip_faults import KINDS, Fault
from local.mip_requests import CALLS, balances_body
from local.mip_server import MipCloudServer
from local.mip_service import PASSWORD, USER, Counters, Credentials, JournalEntry, MipCloud
from local.sample.organisation import ORGANISATION

__all__ = [
    "CALLS",
    "KINDS",
    "ORGANISATION",
    "PASSWORD",
    "USER",
    "Counters",
    "Credentials",
    "Fault",
    "JournalEntry",
    "MipCloud",
    "MipCloudServer",
    "balances_body",
]
