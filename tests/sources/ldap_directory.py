"""A real OpenLDAP directory on loopback, with computers and groups as Active Directory has them."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.sources.inventory_run import free_port, wait_for

SLAPD = "/usr/sbin/slapd"
TOOLS = ("openssl", "/usr/sbin/slapadd", SLAPD)
# The attributes by their real object identifiers; OpenLDAP's own schema lacks the class.
SCHEMA = """
attributetype ( 1.2.840.113556.1.4.619 NAME 'dNSHostName' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.2.840.113556.1.4.363 NAME 'operatingSystem' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
attributetype ( 1.2.840.113556.1.4.1696 NAME 'lastLogonTimestamp' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )
attributetype ( 1.2.840.113556.1.4.222 NAME 'location' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.2.840.113556.1.3.30 NAME 'computer' SUP top STRUCTURAL MUST cn
  MAY ( dNSHostName $ sAMAccountName $ operatingSystem $ userAccountControl $ objectGUID $ lastLogonTimestamp
  $ location $ description $ ipHostNumber $ userPassword ) )
"""
CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include {directory}/computer.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {directory}/slapd.pid
TLSCertificateFile {directory}/tls.pem
TLSCertificateKeyFile {directory}/tls.key
sizelimit size.soft=400 size.hard=400 size.prtotal=unlimited
database mdb
suffix "dc=example,dc=com"
rootdn "cn=admin,dc=example,dc=com"
rootpw wonder
directory {directory}/data
access to dn.subtree="ou=Closed,dc=example,dc=com" by dn.exact="cn=admin,dc=example,dc=com" read by * none
access to * by users read by anonymous auth
"""
TOP = """dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: cn=reader,dc=example,dc=com
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: secret

"""


@dataclass
class Directory:
    plain: str
    encrypted: str
    certificate: Path
    base: str = "dc=example,dc=com"
    reader: str = "cn=reader,dc=example,dc=com"
    password: str = "secret"


def missing_tools():
    return [tool for tool in TOOLS if shutil.which(tool) is None]


def unit(name):
    return f"dn: ou={name},dc=example,dc=com\nobjectClass: organizationalUnit\nou: {name}\n\n"


def computer(name, unit="Servers", **attributes):
    lines = "".join(f"{key}: {value}\n" for key, value in attributes.items())
    return f"dn: cn={name},ou={unit},dc=example,dc=com\nobjectClass: computer\ncn: {name}\n{lines}\n"


def group(name, *members):
    lines = "".join(f"member: {member},dc=example,dc=com\n" for member in members)
    return f"dn: cn={name},ou=Groups,dc=example,dc=com\nobjectClass: groupOfNames\ncn: {name}\n{lines}\n"


def directory_at(where, entries):
    """Yield a running directory with entries below `dc=example,dc=com`; end it afterwards."""
    (where / "data").mkdir()
    (where / "computer.schema").write_text(SCHEMA)
    (where / "slapd.conf").write_text(CONFIGURATION.format(directory=where))
    (where / "entries.ldif").write_text(TOP + "".join(entries))
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    keys = ("-keyout", where / "tls.key", "-out", where / "tls.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *keys, *subject],
        check=True,
        capture_output=True,
    )
    filled = ["/usr/sbin/slapadd", "-q", "-f", where / "slapd.conf", "-l", where / "entries.ldif"]
    subprocess.run(filled, check=True, capture_output=True)
    plain, encrypted = free_port(), free_port()
    listen = f"ldap://127.0.0.1:{plain} ldaps://127.0.0.1:{encrypted}"
    process = subprocess.Popen([SLAPD, "-d", "0", "-f", where / "slapd.conf", "-h", listen])
    try:
        wait_for(plain, process)
        yield Directory(f"ldap://localhost:{plain}", f"ldaps://localhost:{encrypted}", where / "tls.pem")
    finally:
        process.terminate()
        process.wait(timeout=20)
