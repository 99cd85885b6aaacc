"""A Kafka whose owner refuses settings of topics, as managed services do.

Brokers take such a policy as a class of Java. A compiler is not at hand wherever tests run, so the class is written
here byte by byte: it goes through a list of settings, and throws for the first that a request contains.
"""

import os
import struct
from collections.abc import Mapping
from pathlib import Path

from services.cli.embedded.jars import Jars
from services.cli.embedded.kafka import Kafka

POLICIES = "org/apache/kafka/server/policy"
VIOLATION = "org/apache/kafka/common/errors/PolicyViolationException"
REASON = "our policy does not allow {}"
JAVA_5 = 49
"""A version of the format whose code needs no maps of the stack."""
REFUSED = {"cleanup.policy": "compact", "segment.ms": ""}
"""Setting -> the value that is refused; empty: any."""


class ReluctantKafka(Kafka):
    """A broker that refuses the settings of `REFUSED`, when topics are made and when they are altered."""

    def __init__(self, folder: Path, jars: Jars, port: int, controller_port: int) -> None:
        super().__init__(folder, jars, port, controller_port, heap="256m")
        self.classes = folder / "classes"
        for kind in ("CreateTopicPolicy", "AlterConfigPolicy"):
            file = self.classes / f"{_name(kind)}.class"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(policy(kind, REFUSED))

    def _java(self, *arguments: str) -> list[str]:
        argv = super()._java(*arguments)
        at = argv.index("-cp") + 1
        argv[at] = os.pathsep.join((argv[at], str(self.classes)))
        return argv

    def _settings(self) -> dict[str, str]:
        return super()._settings() | {
            "create.topic.policy.class.name": _name("CreateTopicPolicy").replace("/", "."),
            "alter.config.policy.class.name": _name("AlterConfigPolicy").replace("/", "."),
        }


def _name(kind: str) -> str:
    return f"tests/Reluctant{kind}"


def policy(kind: str, refused: Mapping[str, str]) -> bytes:
    """The class file of a policy (https://docs.oracle.com/javase/specs/jvms/se8/html/jvms-4.html)."""
    pool = _Pool()
    request = f"{POLICIES}/{kind}$RequestMetadata"
    init = b"\x2a\xb7" + pool.method("java/lang/Object", "<init>", "()V") + b"\xb1"  # super(); return
    methods = [
        _method(pool, "<init>", "()V", init),
        _method(pool, "configure", "(Ljava/util/Map;)V", b"\xb1"),
        _method(pool, "close", "()V", b"\xb1"),
        _method(pool, "validate", f"(L{request};)V", _checks(pool, request, refused)),
    ]
    this, parent = pool.type(_name(kind)), pool.type("java/lang/Object")
    interface = pool.type(f"{POLICIES}/{kind}")
    head = struct.pack(">IHH", 0xCAFEBABE, 0, JAVA_5) + pool.written()
    shape = b"\x00\x21" + this + parent + b"\x00\x01" + interface + b"\x00\x00"  # public, one interface, no fields
    return head + shape + struct.pack(">H", len(methods)) + b"".join(methods) + b"\x00\x00"


def _checks(pool: "_Pool", request: str, refused: Mapping[str, str]) -> bytes:
    code = b""
    for setting, value in refused.items():
        configs = b"\x2b\xb6" + pool.method(request, "configs", "()Ljava/util/Map;")  # request.configs()
        name = b"\x13" + pool.text(setting)
        if value:
            get = pool.method("java/util/Map", "get", "(Ljava/lang/Object;)Ljava/lang/Object;", interface=True)
            equals = b"\xb6" + pool.method("java/lang/Object", "equals", "(Ljava/lang/Object;)Z")
            code += b"\x13" + pool.text(value) + configs + name + b"\xb9" + get + b"\x02\x00" + equals
        else:
            contains = pool.method("java/util/Map", "containsKey", "(Ljava/lang/Object;)Z", interface=True)
            code += configs + name + b"\xb9" + contains + b"\x02\x00"
        thrown = b"\xbb" + pool.type(VIOLATION) + b"\x59\x13" + pool.text(REASON.format(setting))
        thrown += b"\xb7" + pool.method(VIOLATION, "<init>", "(Ljava/lang/String;)V") + b"\xbf"
        code += b"\x99" + struct.pack(">H", 3 + len(thrown)) + thrown  # go past the throw where it is not so
    return code + b"\xb1"


def _method(pool: "_Pool", name: str, descriptor: str, code: bytes) -> bytes:
    body = struct.pack(">HHI", 4, 2, len(code)) + code + b"\x00\x00\x00\x00"  # 4 on the stack, 2 variables
    attribute = pool.utf8("Code") + struct.pack(">I", len(body)) + body
    return b"\x00\x01" + pool.utf8(name) + pool.utf8(descriptor) + b"\x00\x01" + attribute


class _Pool:
    """The constants of a class; each method gives the index of one, two bytes."""

    def __init__(self) -> None:
        self._entries: dict[bytes, int] = {}

    def _index(self, entry: bytes) -> bytes:
        return struct.pack(">H", self._entries.setdefault(entry, len(self._entries) + 1))

    def utf8(self, text: str) -> bytes:
        return self._index(b"\x01" + struct.pack(">H", len(text)) + text.encode())

    def type(self, name: str) -> bytes:
        return self._index(b"\x07" + self.utf8(name))

    def text(self, text: str) -> bytes:
        return self._index(b"\x08" + self.utf8(text))

    def method(self, owner: str, name: str, descriptor: str, *, interface: bool = False) -> bytes:
        tag = b"\x0a"
        if interface:
            tag = b"\x0b"
        signature = self._index(b"\x0c" + self.utf8(name) + self.utf8(descriptor))
        return self._index(tag + self.type(owner) + signature)

    def written(self) -> bytes:
        return struct.pack(">H", len(self._entries) + 1) + b"".join(self._entries)
