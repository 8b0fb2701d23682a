"""From what was typed, the environment and cloudstead.toml to Settings. Here the file is read."""

import argparse
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudstead.cli import person
from cloudstead.core.settings import Settings, SettingsError, known, load

FILE = "cloudstead.toml"


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Raises SettingsError, whose text names the setting and where it was set."""
    flags = {setting.name: getattr(arguments, setting.name, None) for setting in known()}
    data = (
        Path(flags["data"] or os.environ.get("CLOUDSTEAD_DATA") or person.data_folder())
        .expanduser()
        .absolute()
    )
    told = getattr(arguments, "config", None) or os.environ.get("CLOUDSTEAD_CONFIG")
    path = Path(told).expanduser().absolute() if told else data / FILE
    values = _read(path, must_exist=bool(told))
    if not told and "data" in values:
        raise SettingsError(f"{path}: data cannot be set in the file that lies in it; use --config or --data")
    return load(flags, os.environ, values, file_name=str(path), data=data)


def _read(path: Path, *, must_exist: bool) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if must_exist:
            raise SettingsError(f"{path}: there is no such file") from None
        return {}
    except OSError as e:
        raise SettingsError(f"{path}: {e.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise SettingsError(f"{path}: {e}") from None
