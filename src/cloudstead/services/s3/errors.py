"""S3's errors, with AWS's wording where an error has one.

What AWS names beside the text (the bucket, the key, the argument) comes in as `fields`. HEAD shows the status alone.
"""

from collections.abc import Mapping

from cloudstead.core.errors import ServiceError


class S3Error(ServiceError):
    """An error of S3's list. `text` is what it says where nobody says anything better."""

    text = ""

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        status: int | None = None,
        fields: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message or self.text, code=code, status=status, fields=fields, headers=headers)


class AccessControlListNotSupported(S3Error):
    code = "AccessControlListNotSupported"
    text = "The bucket does not allow ACLs"


class AccessDenied(S3Error):
    code = "AccessDenied"
    status = 403
    text = "Access Denied"


class AccessForbidden(S3Error):
    code = "AccessForbidden"
    status = 403
    text = "CORSResponse: CORS is not enabled for this bucket."


class AuthorizationHeaderMalformed(S3Error):
    code = "AuthorizationHeaderMalformed"
    text = "The authorization header is malformed"


class AuthorizationQueryParametersError(S3Error):
    code = "AuthorizationQueryParametersError"
    text = "Error parsing the X-Amz-Credential parameter"


class BadDigest(S3Error):
    code = "BadDigest"
    text = "The Content-MD5 you specified did not match what we received."


class BadRequest(S3Error):
    code = "BadRequest"
    text = "Bad Request"


class BucketAlreadyExists(S3Error):
    code = "BucketAlreadyExists"
    status = 409
    text = "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again."


class BucketAlreadyOwnedByYou(S3Error):
    code = "BucketAlreadyOwnedByYou"
    status = 409
    text = "Your previous request to create the named bucket succeeded and you already own it."


class BucketNotEmpty(S3Error):
    code = "BucketNotEmpty"
    status = 409
    text = "The bucket you tried to delete is not empty"


class ConditionalRequestConflict(S3Error):
    code = "ConditionalRequestConflict"
    status = 409
    text = "The conditional request cannot succeed due to a conflicting operation against this resource."


class CrossLocationLoggingProhibited(S3Error):
    code = "CrossLocationLoggingProhibited"
    status = 403
    text = "Cross S3 location logging not allowed."


class EntityTooLarge(S3Error):
    code = "EntityTooLarge"
    text = "Your proposed upload exceeds the maximum allowed size"


class EntityTooSmall(S3Error):
    code = "EntityTooSmall"
    text = "Your proposed upload is smaller than the minimum allowed size"


class IllegalLocationConstraintException(S3Error):
    code = "IllegalLocationConstraintException"
    text = "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to."


class IdempotencyParameterMismatch(S3Error):
    code = "IdempotencyParameterMismatch"
    text = "The client token was used before with other parameters."


class IllegalVersioningConfigurationException(S3Error):
    code = "IllegalVersioningConfigurationException"
    text = "The Versioning element must be specified"


class IncompleteBody(S3Error):
    code = "IncompleteBody"
    text = "The request body terminated unexpectedly"


class InvalidArgument(S3Error):
    code = "InvalidArgument"
    text = "Invalid Argument"


class InvalidBucketAclWithBlockPublicAccessError(S3Error):
    code = "InvalidBucketAclWithBlockPublicAccessError"
    text = "Bucket cannot have public ACLs set with BlockPublicAccess enabled"


class InvalidBucketAclWithObjectOwnership(S3Error):
    code = "InvalidBucketAclWithObjectOwnership"
    text = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"


class InvalidBucketName(S3Error):
    code = "InvalidBucketName"
    text = "The specified bucket is not valid."


class InvalidBucketOwnerAWSAccountID(S3Error):
    code = "InvalidBucketOwnerAWSAccountID"
    text = "The value of the expected bucket owner parameter must be an AWS account ID"


class InvalidBucketState(S3Error):
    code = "InvalidBucketState"
    status = 409
    text = "The request is not valid with the current state of the bucket."


class InvalidDigest(S3Error):
    code = "InvalidDigest"
    text = "The Content-MD5 you specified was invalid."


class InvalidEncryptionAlgorithmError(S3Error):
    code = "InvalidEncryptionAlgorithmError"
    text = "The encryption request you specified is not valid. The valid value is AES256."


class InvalidLocationConstraint(S3Error):
    code = "InvalidLocationConstraint"
    text = "The specified location-constraint is not valid"


class InvalidObjectState(S3Error):
    code = "InvalidObjectState"
    status = 403
    text = "The operation is not valid for the object's storage class"


class InvalidPart(S3Error):
    code = "InvalidPart"
    text = "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."


class InvalidPartNumber(S3Error):
    code = "InvalidPartNumber"
    status = 416
    text = "The requested partnumber is not satisfiable"


class InvalidPartOrder(S3Error):
    code = "InvalidPartOrder"
    text = "The list of parts was not in ascending order. Parts must be ordered by part number."


class InvalidPolicyDocument(S3Error):
    code = "InvalidPolicyDocument"
    text = "The content of the form does not meet the conditions specified in the policy document."


class InvalidRange(S3Error):
    code = "InvalidRange"
    status = 416
    text = "The requested range is not satisfiable"


class InvalidRequest(S3Error):
    code = "InvalidRequest"
    text = "Invalid Request"


class InvalidS3DestinationBucket(S3Error):
    code = "InvalidS3DestinationBucket"
    text = "The destination bucket is not valid: it must be the ARN of a bucket."


class InvalidStorageClass(S3Error):
    code = "InvalidStorageClass"
    text = "The storage class you specified is not valid"


class InvalidTag(S3Error):
    code = "InvalidTag"
    text = "The TagValue you have provided is invalid"


class InvalidTargetBucketForLogging(S3Error):
    code = "InvalidTargetBucketForLogging"
    text = "The target bucket for logging does not exist"


class InvalidTagError(S3Error):
    code = "InvalidTagError"
    text = "The tag provided was not a valid tag."


class InvalidToken(S3Error):
    code = "InvalidToken"
    text = "The provided token is malformed or otherwise invalid."


class InvalidURI(S3Error):
    code = "InvalidURI"
    text = "Couldn't parse the specified URI."


class KeyTooLongError(S3Error):
    code = "KeyTooLongError"
    text = "Your key is too long"


class KMSNotFoundException(S3Error):
    code = "KMSNotFoundException"
    text = "Invalid keyId"


class MalformedACLError(S3Error):
    code = "MalformedACLError"
    text = "The XML you provided was not well-formed or did not validate against our published schema"


class MalformedPolicy(S3Error):
    code = "MalformedPolicy"
    text = "This policy contains invalid Json"


class MalformedXML(S3Error):
    code = "MalformedXML"
    text = "The XML you provided was not well-formed or did not validate against our published schema"


class MaxMessageLengthExceeded(S3Error):
    code = "MaxMessageLengthExceeded"
    text = "Your request was too big."


class MetadataTooLarge(S3Error):
    code = "MetadataTooLarge"
    text = "Your metadata headers exceed the maximum allowed metadata size"


class MethodNotAllowed(S3Error):
    code = "MethodNotAllowed"
    status = 405
    text = "The specified method is not allowed against this resource."


class MissingContentLength(S3Error):
    code = "MissingContentLength"
    status = 411
    text = "You must provide the Content-Length HTTP header."


class MissingRequestBodyError(S3Error):
    code = "MissingRequestBodyError"
    text = "Request Body is empty"


class MissingSecurityHeader(S3Error):
    code = "MissingSecurityHeader"
    text = "Your request was missing a required header"


class NoSuchBucket(S3Error):
    code = "NoSuchBucket"
    status = 404
    text = "The specified bucket does not exist"


class NoSuchBucketPolicy(S3Error):
    code = "NoSuchBucketPolicy"
    status = 404
    text = "The bucket policy does not exist"


class NoSuchConfiguration(S3Error):
    code = "NoSuchConfiguration"
    status = 404
    text = "The specified configuration does not exist."


class NoSuchCORSConfiguration(S3Error):
    code = "NoSuchCORSConfiguration"
    status = 404
    text = "The CORS configuration does not exist"


class NoSuchKey(S3Error):
    code = "NoSuchKey"
    status = 404
    text = "The specified key does not exist."


class NoSuchLifecycleConfiguration(S3Error):
    code = "NoSuchLifecycleConfiguration"
    status = 404
    text = "The lifecycle configuration does not exist"


class NoSuchObjectLockConfiguration(S3Error):
    code = "NoSuchObjectLockConfiguration"
    status = 404
    text = "The specified object does not have a ObjectLock configuration"


class NoSuchPublicAccessBlockConfiguration(S3Error):
    code = "NoSuchPublicAccessBlockConfiguration"
    status = 404
    text = "The public access block configuration was not found"


class NoSuchResource(S3Error):
    code = "NoSuchResource"
    status = 404


class NoSuchTagSet(S3Error):
    code = "NoSuchTagSet"
    status = 404
    text = "The TagSet does not exist"


class NoSuchUpload(S3Error):
    code = "NoSuchUpload"
    status = 404
    text = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."


class NoSuchVersion(S3Error):
    code = "NoSuchVersion"
    status = 404
    text = "The specified version does not exist."


class NoSuchWebsiteConfiguration(S3Error):
    code = "NoSuchWebsiteConfiguration"
    status = 404
    text = "The specified bucket does not have a website configuration"


class NotImplementedHeader(S3Error):
    code = "NotImplemented"
    status = 501
    text = "A header you provided implies functionality that is not implemented"


class NotModified(S3Error):
    code = "NotModified"
    status = 304
    text = "Not Modified"


class ObjectLockConfigurationNotFoundError(S3Error):
    code = "ObjectLockConfigurationNotFoundError"
    status = 404
    text = "Object Lock configuration does not exist for this bucket"


class OperationAborted(S3Error):
    code = "OperationAborted"
    status = 409
    text = "A conflicting conditional operation is currently in progress against this resource. Please try again."


class OwnershipControlsNotFoundError(S3Error):
    code = "OwnershipControlsNotFoundError"
    status = 404
    text = "The bucket ownership controls were not found"


class PermanentRedirect(S3Error):
    code = "PermanentRedirect"
    status = 301
    text = "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint."


class PreconditionFailed(S3Error):
    code = "PreconditionFailed"
    status = 412
    text = "At least one of the pre-conditions you specified did not hold"


class ReplicationConfigurationNotFoundError(S3Error):
    code = "ReplicationConfigurationNotFoundError"
    status = 404
    text = "The replication configuration was not found"


class RequestTimeout(S3Error):
    code = "RequestTimeout"
    text = "Your socket connection to the server was not read from or written to within the timeout period."


class RestoreAlreadyInProgress(S3Error):
    code = "RestoreAlreadyInProgress"
    status = 409
    text = "Object restore is already in progress"


class ServerSideEncryptionConfigurationNotFoundError(S3Error):
    code = "ServerSideEncryptionConfigurationNotFoundError"
    status = 404
    text = "The server side encryption configuration was not found"


class SlowDown(S3Error):
    code = "SlowDown"
    status = 503
    text = "Please reduce your request rate."


class TooManyBuckets(S3Error):
    code = "TooManyBuckets"
    text = "You have attempted to create more buckets than allowed"


class TooManyConfigurations(S3Error):
    code = "TooManyConfigurations"
    text = "You are attempting to create a new configuration but have already reached the 1,000-configuration limit."


class UnexpectedContent(S3Error):
    code = "UnexpectedContent"
    text = "This request does not support content"


class UnresolvableGrantByEmailAddress(S3Error):
    code = "UnresolvableGrantByEmailAddress"
    text = "The email address you provided does not match any account on record."


class XAmzContentSHA256Mismatch(S3Error):
    code = "XAmzContentSHA256Mismatch"
    text = "The provided 'x-amz-content-sha256' header does not match what was computed."


def no_such_bucket(name: str) -> NoSuchBucket:
    return NoSuchBucket(fields={"BucketName": name})


def bad_argument(message: str, name: str, value: object) -> InvalidArgument:
    return InvalidArgument(message, fields={"ArgumentName": name, "ArgumentValue": value})
