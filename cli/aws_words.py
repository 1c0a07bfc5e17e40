"""What AWS calls a refusal: the codes of its errors by what they mean. Loads nothing, for it is asked everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

#: Credentials that are no longer good, that AWS does not know, and that may not do this.
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
UNKNOWN = {
    "AuthFailure",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
FORBIDDEN = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
#: The cure of the first two.
GET_CREDENTIALS = "put new ones into .env (see .env.sample) or run `aws configure`; without an account use --local"


def is_refused_head(error: ClientError) -> bool:
    """Whether S3 refused a HEAD, whose answer has no body: 403 without a right, 400 with expired credentials."""
    return error.operation_name.startswith("Head") and error.response.get("Error", {}).get("Code") in ("400", "403")
