"""Every word of the pages is in the catalogues, translated into each language."""

import ast
import gettext
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.template import engines
from django.template.base import FilterExpression, Node, Variable
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils.text import smart_split
from django.utils.translation import trim_whitespace

from attendance_site.environment import BASE_DIR

FLOORS = ("accounts", "attendance", "attendance_site", "classroom", "faces")
LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
# Of `ngettext` both forms; a context is not used anywhere.
MARKERS = {
    "_": 1,
    "gettext": 1,
    "gettext_lazy": 1,
    "gettext_noop": 1,
    "ngettext": 2,
    "ngettext_lazy": 2,
}
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]")

Words = set[str]


def python_words() -> Words:
    files = [
        file
        for floor in FLOORS
        for file in (BASE_DIR / floor).rglob("*.py")
        if "tests" not in file.parts and "migrations" not in file.parts
    ]
    return {words for file in files for words in words_of_module(file)}


def words_of_module(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        for argument in node.args[: MARKERS.get(node.func.id, 0)]:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value


def template_words() -> Words:
    engine: Any = engines["django"].engine  # type: ignore[attr-defined]
    found: Words = set()
    for file in (BASE_DIR / "templates").rglob("*.*"):
        template = engine.from_string(file.read_text(encoding="utf-8"))
        found |= {words for node in template.nodelist for words in words_of_node(node)}
        found |= words_in_arguments(file)
    return found


def words_of_node(node: Node) -> Iterator[str]:
    if isinstance(node, TranslateNode):
        yield from words_of_expression(node.filter_expression)
    if isinstance(node, BlockTranslateNode):
        for tokens in (node.singular, node.plural):
            words, _names = node.render_token_list(tokens)
            if words:
                yield trim_whitespace(words) if node.trimmed else words
    for name in (*node.child_nodelists, "nodelist"):
        for child in getattr(node, name, None) or ():
            yield from words_of_node(child)
    for _condition, nodes in getattr(node, "conditions_nodelists", ()):
        for child in nodes:
            yield from words_of_node(child)


def words_of_expression(expression: FilterExpression) -> Iterator[str]:
    variable = expression.var
    words = variable.literal if isinstance(variable, Variable) else variable
    if isinstance(words, str):
        yield words.replace("%", "%%")


def words_in_arguments(file: Path) -> Words:
    """Return what stands in _("…") as an argument of a tag or filter."""
    text = file.read_text(encoding="utf-8")
    return {
        found
        for tag in re.findall(r"\{[%{](.*?)[%}]\}", text)
        for part in smart_split(tag)
        for found in re.findall(r'_\("([^"]+)"\)', part)
    }


@cache
def used() -> frozenset[str]:
    return frozenset(python_words() | template_words())


def catalogue(language: str) -> Path:
    return BASE_DIR / "locale" / language / "LC_MESSAGES" / "django.po"


@cache
def entries(language: str) -> dict[str, tuple[str, list[str], bool]]:
    """Return, by msgid, its plural, its translations and whether it is fuzzy."""
    found = {}
    for block in catalogue(language).read_text(encoding="utf-8").split("\n\n"):
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            start = re.match(r"(msg\w+(?:\[\d\])?) ", line)
            if start:
                name = start.group(1)
            elif not line.startswith('"'):
                continue
            text = line[start.end() :] if start else line
            fields[name] = fields.get(name, "") + str(ast.literal_eval(text))
        if fields.get("msgid"):
            said = [text for key, text in fields.items() if key.startswith("msgstr")]
            is_fuzzy = any(
                line.startswith("#,") and "fuzzy" in line for line in block.splitlines()
            )
            found[fields["msgid"]] = (fields.get("msgid_plural", ""), said, is_fuzzy)
    return found


def test_the_search_finds_the_words_of_code_and_of_templates() -> None:
    assert "This can't be done." in python_words()
    assert "%(number)s student" in template_words()
    assert "Skip to content" in template_words()
    assert len(used()) > 500


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_every_word_of_the_pages_is_in_the_catalogue(language: str) -> None:
    known = entries(language)
    known_words = {*known, *(plural for plural, _said, _fuzzy in known.values())}
    missing = sorted(used() - known_words)
    assert missing == [], "run: make messages"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_translated(language: str) -> None:
    left = [
        words
        for words, (_plural, said, is_fuzzy) in entries(language).items()
        if is_fuzzy or not said or not all(said)
    ]
    assert left == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_names_what_its_words_do_not(language: str) -> None:
    wrong = []
    for words, (plural, said, _fuzzy) in entries(language).items():
        wanted = set(PLACEHOLDER.findall(words + plural))
        for text in said:
            names = set(PLACEHOLDER.findall(text))
            # A plural form may spell the number out; nothing else may be left away.
            if names - wanted or (not plural and names != wanted):
                wrong.append((words, text))
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    """The product reads the compiled catalogue; nobody needs gettext to run it."""
    with catalogue(language).with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for words, (plural, said, _fuzzy) in entries(language).items():
        if plural:
            numbers = (0, 1, 2, 3, 11, 100)
            forms = {compiled.ngettext(words, plural, number) for number in numbers}
            assert forms <= set(said), words
        else:
            assert compiled.gettext(words) == said[0], words


def test_the_image_takes_the_catalogues_along() -> None:
    kept = (BASE_DIR / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "!locale" in kept
