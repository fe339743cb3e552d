"""A Pipedrive look-alike on loopback, with a realistic account that changes.

`Sandbox` serves it; demo, tests and benchmarks use it. Nothing that a real load runs imports it.
The account knows nothing of the API's forms, the forms nothing of HTTP.
"""

from sources.sandbox.account import Account
from sources.sandbox.options import SandboxOptions
from sources.sandbox.server import LoggedRequest, Sandbox
from sources.sandbox.state import AccountError

__all__ = ["Account", "AccountError", "LoggedRequest", "Sandbox", "SandboxOptions"]
