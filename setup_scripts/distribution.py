"""The distribution of `setup.py --cloudfront` as CloudFront wants it said: pure functions from names to requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_cloudfront.type_defs import DistributionConfigTypeDef

#: Policies that AWS keeps for everybody: what is cached, what the API is told, and headers such as nosniff and HSTS.
_AS_ORIGIN_SAYS = "658327ea-f89d-4fab-a63d-7e88639e58f6"
_NOT_CACHED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
_ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-38738e2966ac"
_SECURITY_HEADERS = "67f7725c-6f97-4210-82d7-5512b31e9d03"
_API_PATHS = ("/images", "/image", "/stats", "/openapi.json")
#: The ids of the two origins.
PAGE, API = "page", "api"


def configuration(bucket: str, *, origin: str, api: str, access_control: str) -> DistributionConfigTypeDef:
    """One host for three things: `origin` and `api` are the hosts of the bucket and of the function."""
    behaviours: Any = [{"PathPattern": path, **_behaviour(API)} for path in _API_PATHS]
    return {
        # The same reference gives the same distribution: a setup that died right after making it finds it again.
        "CallerReference": bucket,
        "Comment": comment(bucket),
        "Enabled": True,
        "DefaultRootObject": "index.html",
        "HttpVersion": "http2and3",
        "IsIPV6Enabled": True,
        "PriceClass": "PriceClass_100",
        "Origins": {"Quantity": 2, "Items": _origins(origin, api, access_control)},
        "DefaultCacheBehavior": _behaviour(PAGE),
        "CacheBehaviors": {"Quantity": len(behaviours), "Items": behaviours},
        "ViewerCertificate": {"CloudFrontDefaultCertificate": True},
    }


def _origins(bucket_host: str, function_host: str, access_control: str) -> Any:
    page = {
        "Id": PAGE,
        "DomainName": bucket_host,
        "OriginAccessControlId": access_control,
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    function = {
        "Id": API,
        "DomainName": function_host,
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "https-only",
            "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
        },
    }
    return [page, function]


def _behaviour(origin: str) -> Any:
    methods = ["GET", "HEAD", "OPTIONS"] if origin == API else ["GET", "HEAD"]
    return {
        "TargetOriginId": origin,
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": {
            "Quantity": len(methods),
            "Items": methods,
            "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]},
        },
        "Compress": True,
        "CachePolicyId": _NOT_CACHED if origin == API else _AS_ORIGIN_SAYS,
        "ResponseHeadersPolicyId": _SECURITY_HEADERS,
        **({"OriginRequestPolicyId": _ALL_BUT_HOST} if origin == API else {}),
    }


def comment(bucket: str) -> str:
    """By which the distribution of a bucket is found again."""
    return f"image-pipeline {bucket}"
