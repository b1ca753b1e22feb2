"""SSH private keys as people store them, made readable for ssh."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as serial

from gitops_workers.core.errors import InvalidManifest


def readable_key(text: str, passphrase: str) -> str:
    """The key without a passphrase and with the line end that ssh insists on and that Secrets often lose.

    ssh asks for a passphrase on a terminal; there is none, so the key is opened here. Raises InvalidManifest.
    """
    plain = text.replace("\r\n", "\n").strip() + "\n"
    if not passphrase:
        return plain
    openssh = "BEGIN OPENSSH PRIVATE KEY" in plain
    try:
        load = serial.load_ssh_private_key if openssh else serial.load_pem_private_key
        key = load(plain.encode(), passphrase.encode())
        private = key.private_bytes(serial.Encoding.PEM, serial.PrivateFormat.OpenSSH, serial.NoEncryption())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's own text is dropped: it can quote the input.
        raise InvalidManifest(
            "the ssh private key does not open with the password beside it; correct the password, or remove it when "
            "the key has no passphrase"
        ) from None
    return private.decode()
