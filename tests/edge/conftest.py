"""Certificates for the edge's tests, made once per run with the openssl program."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from edge_support import Authority

_CONFIG = """
[ca]
default_ca = own
[own]
dir = {dir}
database = {dir}/index.txt
serial = {dir}/serial
new_certs_dir = {dir}
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = dn
[dn]
[v3_ca]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[here]
subjectAltName = IP:127.0.0.1
[elsewhere]
subjectAltName = DNS:other.example.com
"""


def _openssl(folder: Path, *args: str) -> None:
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True, timeout=30)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("authority")
    (folder / "own.cnf").write_text(_CONFIG.format(dir=folder), encoding="ascii")
    (folder / "index.txt").touch()
    (folder / "serial").write_text("01\n", encoding="ascii")
    for key in ("ca-key.pem", "key.pem"):
        _openssl(folder, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
    _openssl(
        folder, "req", "-x509", "-new", "-key", "ca-key.pem", "-subj", "/CN=own authority",
        "-days", "3650", "-config", "own.cnf", "-extensions", "v3_ca", "-out", "ca.pem",
    )  # fmt: skip
    _openssl(
        folder, "req", "-new", "-key", "key.pem", "-subj", "/CN=server", "-config", "own.cnf",
        "-out", "server.csr",
    )  # fmt: skip
    for name, extensions, start, end in (
        ("good", "here", "20200101000000Z", "20490101000000Z"),
        ("wrong-host", "elsewhere", "20200101000000Z", "20490101000000Z"),
        ("expired", "here", "20200101000000Z", "20210101000000Z"),
    ):
        _openssl(
            folder, "ca", "-batch", "-notext", "-config", "own.cnf", "-extensions", extensions,
            "-cert", "ca.pem", "-keyfile", "ca-key.pem", "-startdate", start, "-enddate", end,
            "-in", "server.csr", "-out", f"{name}.pem",
        )  # fmt: skip
    return Authority(folder)
