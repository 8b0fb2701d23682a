"""The tiny image: busybox and nothing else but what every guest gets. For tests, and for looking around fast."""

from pathlib import Path

from cloudstead.dataplane.images import guest

_FOLDERS = (
    "bin",
    "dev",
    "etc",
    "home",
    "proc",
    "root",
    "run",
    "sbin",
    "sys",
    "tmp",
    "usr/bin",
    "usr/sbin",
    "var/lib",
    "var/log",
)


def fill(root: Path) -> None:
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "root").chmod(0o700)
    (root / "tmp").chmod(0o1777)
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc" / "group").write_text("root:x:0:\ntty:x:5:\n")
    (root / "etc" / "shadow").write_text("root:*:19000:0:99999:7:::\n")
    (root / "etc" / "shadow").chmod(0o640)
    (root / "etc" / "os-release").write_text(
        'ID=cloudstead-tiny\nNAME="Cloudstead tiny"\nPRETTY_NAME="Cloudstead tiny (busybox)"\nVERSION_ID="1"\n'
    )
    (root / "etc" / "profile").write_text("PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin\nexport PATH\n")
    for name in guest.applets():
        (root / "bin" / name).symlink_to("/usr/lib/cloudstead/busybox")
