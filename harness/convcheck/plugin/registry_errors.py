"""What may be wrong with a backend that somebody names.

* `RegistryError`
    * `BackendFileError`: the file is missing or is no Python file
    * `BackendNameError`: nothing of that name is there
    * `BackendImportError`: importing it raised; what, and where, is in the message
    * `BackendSignatureError`: what is there cannot be called as a backend
    * `BackendOptionError`: it has no such option, or that has no such value
    * `BackendConstructorError`: its constructor raised
    * `DuplicateBackendError`: the name is taken
"""

from __future__ import annotations

from convcheck_reference.errors import ConvcheckError


class RegistryError(ConvcheckError):
    """A backend cannot be found or loaded."""


class BackendFileError(RegistryError):
    """The file is missing or is no Python file."""


class BackendNameError(RegistryError):
    """Nothing of that name is there."""


class BackendImportError(RegistryError):
    """Importing the backend raised."""


class BackendSignatureError(RegistryError):
    """What is there cannot be called as a backend."""


class BackendOptionError(RegistryError):
    """The backend has no such option, or that has no such value."""


class BackendConstructorError(RegistryError):
    """The backend's constructor raised."""


class DuplicateBackendError(RegistryError):
    """The name of a backend is taken."""
