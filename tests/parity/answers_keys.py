"""Calls of KMS whose answers have all that the command line's reference shows of them."""

_TAGS = [{"TagKey": "Dept", "TagValue": "IT"}, {"TagKey": "Purpose", "TagValue": "Test"}]


def _key(account, ask):
    """What is asked of a key that has an alias, a period of rotation and a rotation behind it."""
    kms = account.client("kms")
    key = kms.create_key(Description="mine", Tags=_TAGS)["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key)
    kms.enable_key_rotation(KeyId=key)
    kms.rotate_key_on_demand(KeyId=key)
    return ask(kms, key)


def _asked(name, **more):
    return lambda account: _key(account, lambda kms, key: getattr(kms, name)(KeyId=key, **more))


def _cancelled(kms, key):
    kms.schedule_key_deletion(KeyId=key)
    return kms.cancel_key_deletion(KeyId=key)


#: By service, command and which of the answers that the reference shows of it.
ANSWERS = {
    ("kms", "cancel-key-deletion", 0): lambda account: _key(account, _cancelled),
    ("kms", "generate-data-key", 0): _asked("generate_data_key", KeySpec="AES_256"),
    ("kms", "generate-data-key", 1): _asked("generate_data_key", NumberOfBytes=64),
    ("kms", "generate-data-key-without-plaintext", 0): _asked(
        "generate_data_key_without_plaintext", KeySpec="AES_256"
    ),
    ("kms", "get-key-rotation-status", 0): _asked("get_key_rotation_status"),
    ("kms", "list-aliases", 0): _asked("list_aliases"),
    ("kms", "list-key-policies", 0): _asked("list_key_policies"),
    ("kms", "list-key-rotations", 0): _asked("list_key_rotations"),
    ("kms", "list-keys", 0): lambda account: _key(account, lambda kms, _: kms.list_keys()),
    ("kms", "list-resource-tags", 0): _asked("list_resource_tags"),
    ("kms", "rotate-key-on-demand", 0): _asked("rotate_key_on_demand"),
    ("kms", "schedule-key-deletion", 0): _asked("schedule_key_deletion", PendingWindowInDays=7),
}
