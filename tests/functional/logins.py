"""What botocore raises where nobody is signed in any more, without having asked AWS."""

from __future__ import annotations

from botocore.exceptions import (
    CredentialRetrievalError,
    NoCredentialsError,
    RefreshWithMFAUnsupportedError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

OVER = (
    UnauthorizedSSOTokenError(),
    TokenRetrievalError(provider="sso", error_msg="the token has expired"),
    CredentialRetrievalError(provider="custom-process", error_msg="nobody is signed in"),
    NoCredentialsError(),
    RefreshWithMFAUnsupportedError(),
)
