"""Outgoing HTTP: to the address that was looked at, by the name that was given, for a while, and no further."""

import asyncio
import ssl
import threading
from pathlib import Path

import pytest

from server.outgoing import NotSent, Outgoing
from tenants import targets
from tests.receiver import Receiver, receiving

# A key and a certificate for erp.example, signed by itself.
CERTIFICATE = Path(__file__).with_name("erp.example.pem")


class Names:
    """What names lead to, each answer for one question; the last one stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def named(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> Names:
    names = Names(*answers)
    monkeypatch.setattr(targets, "resolve", names.resolve)
    return names


async def post(
    url: str, *, private: bool = True, seconds: float = 2, trusted: ssl.SSLContext | None = None
) -> tuple[int, str]:
    outgoing = Outgoing(private=private, seconds=seconds, trusted=trusted)
    try:
        answer = await outgoing.post(url, b'{"a": "b"}', {"Content-Type": "application/json"})
    finally:
        await outgoing.close()
    return answer.status, answer.body


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["10.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::ffff:127.0.0.1"], []]
)
async def test_a_name_that_has_moved_to_a_private_address_is_not_followed(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = named(monkeypatch, addresses)
    async with receiving() as receiver:
        with pytest.raises(NotSent, match="Nothing can be sent there"):
            await post(f"https://erp.example:{receiver.port}/hook", private=False)
    assert (names.asked, receiver.told) == (["erp.example"], [])


async def test_the_name_is_asked_for_once_and_the_other_side_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers differently the second time gains nothing: there is no second time."""
    names = named(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    async with receiving() as receiver:
        url = f"http://erp.example:{receiver.port}/hook?a=b"
        assert await post(url) == (200, "thank you")
    (told,) = receiver.told
    assert (told.path, told.headers["host"]) == ("/hook?a=b", f"erp.example:{receiver.port}")
    assert names.asked == ["erp.example"]


async def test_each_message_asks_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    names = named(monkeypatch, ["127.0.0.1"])
    outgoing = Outgoing(private=True, seconds=2)
    async with receiving() as receiver:
        for _ in range(3):
            await outgoing.post(f"http://erp.example:{receiver.port}/", b"{}", {})
    await outgoing.close()
    assert names.asked == ["erp.example"] * 3


async def test_another_address_of_the_name_is_tried_when_one_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named(monkeypatch, ["127.0.0.9", "127.0.0.1"])
    async with receiving() as receiver:
        assert (await post(f"http://erp.example:{receiver.port}/"))[0] == 200


async def test_by_https_the_certificate_has_to_be_that_of_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, ["127.0.0.1"])
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(CERTIFICATE)
    ours = ssl.create_default_context(cafile=CERTIFICATE)
    receiver = Receiver()
    async with receiver.listening(theirs):
        assert await post(f"https://erp.example:{receiver.port}/", trusted=ours) == (200, "thank you")
        for url, trusted in (("https://other.example", ours), ("https://erp.example", None)):
            with pytest.raises(NotSent, match=r"no connection.*certificate"):
                await post(f"{url}:{receiver.port}/", trusted=trusted)
    assert len(receiver.told) == 1


async def test_an_answer_without_end_is_read_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(b"\0\xff" * 5_000)
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    async with server:
        status, body = await post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert (status, len(body), set(body)) == (200, 2_000, {"\ufffd"})


async def test_whoever_takes_too_long_or_speaks_another_language_is_not_waited_for() -> None:
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        writer.close()

    async def odd(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    for speaks, reason in ((silent, "no answer within 0.3 seconds"), (odd, "the connection broke")):
        server = await asyncio.start_server(speaks, "127.0.0.1", 0)
        async with server:
            with pytest.raises(NotSent, match=reason):
                await post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", seconds=0.3)


async def test_where_nobody_listens_there_is_no_connection() -> None:
    with pytest.raises(NotSent, match="no connection"):
        await post("http://127.0.0.1:9/")


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy, receiving() as receiver:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert (await post(receiver.url))[0] == 200
    assert (proxy.told, len(receiver.told)) == ([], 1)


async def test_a_name_whose_server_does_not_answer_keeps_no_other_from_being_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    answering = threading.Event()

    def ask(host: str, port: int, **_given: object) -> list[object]:
        asked.append(host)
        if host == "slow.example":
            answering.wait(20)
        return [(0, 0, 0, "", ("9.9.9.9", port))]

    monkeypatch.setattr("socket.getaddrinfo", ask)
    slow = [asyncio.create_task(targets.resolve("slow.example", 443)) for _ in range(60)]
    try:
        await asyncio.sleep(0)
        slow[0].cancel()
        assert await asyncio.wait_for(targets.resolve("quick.example", 443), 5) == ["9.9.9.9"]
        assert asked == ["slow.example", "quick.example"]
    finally:
        answering.set()
    ended = await asyncio.gather(*slow, return_exceptions=True)
    assert ended[1:] == [["9.9.9.9"]] * 59
    await targets.resolve("slow.example", 443)
    assert asked[2:] == ["slow.example"]


@pytest.mark.parametrize("host", ["erp.example", "93.184.216.34", "[2606:4700::1111]"])
async def test_the_other_side_is_told_which_host_is_meant(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, ["127.0.0.1"])
    async with receiving() as receiver:
        await post(f"http://{host}:{receiver.port}/hook", private=True)
    assert receiver.told[0].headers["host"] == f"{host}:{receiver.port}"
