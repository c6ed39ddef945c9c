"""Scripts that need a run of their own, with the face for what the text face does not cover.

All faces are Noto's, variable in weight, from `manimgx-fonts` (SIL Open Font License 1.1).
"""

import re
from typing import NamedTuple

EMOJI = "Zsye"


class Script(NamedTuple):
    """A script by its ISO 15924 code, its characters as in a regular expression's class, and its face."""

    code: str
    characters: str
    file: str
    sha256: str
    scale: float = 1.0
    """Of the face against the others: one that towers over them would reach into the next line."""
    without: str = ""
    """Not to be taken from it: a space as wide as a picture, a ligature as wide as ten letters."""


# fmt: off
_TABLE = (
    Script("Hebr", "\u0590-\u05ff\ufb1d-\ufb4f", "NotoSansHebrew",
           "9d81d81ad592644487b03843da73a87b99cd28a2c4da4a096e1db8fbd14fda61"),
    Script("Arab", "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc", "NotoSansArabic",
           "3fae4d7239d1faa55b234bda8091019a5251ff79df40d5e29367d84bed2a8138", without="\ufdfd"),
    Script("Armn", "\u0530-\u058f\ufb13-\ufb17", "NotoSansArmenian",
           "e979dfaed56ddb4bfd05121958b25425eb7593253d64b6b3654c77c11c5cda94"),
    Script("Deva", "\u0900-\u097f\ua8e0-\ua8ff", "NotoSansDevanagari",
           "bf99bf762743ff3259e73196852520ab0ffe8d384238bff3e4806a84b981e972"),
    Script("Beng", "\u0980-\u09ff", "NotoSansBengali",
           "dc9defe97bb041876b6609e9029d9e1e228a686259acde2fe2a9f99d793ee17d"),
    Script("Guru", "\u0a00-\u0a7f", "NotoSansGurmukhi",
           "8a3096ee2166f6383501e2df7b368fce88cfa4068c8d75bcb6af07da353a00ea"),
    Script("Gujr", "\u0a80-\u0aff", "NotoSansGujarati",
           "83d1bde74d64fb389f97a5e27b2699d8ee8bad4c15a02be347228e6c10011248"),
    Script("Orya", "\u0b00-\u0b7f", "NotoSansOriya",
           "37f482d0179d0a50e3128d004f007ff1c1741ad5f6b0b2bcc7238b257ef1caa0"),
    Script("Taml", "\u0b80-\u0bff", "NotoSansTamil",
           "37e151cdec4a8cfb15c432f7bb164a83b98df69419d47e50b35aa7073963716b"),
    Script("Telu", "\u0c00-\u0c7f", "NotoSansTelugu",
           "6c06de88b2d420d899543724a13765994191cd29860c6226efca098b51fec64b"),
    Script("Knda", "\u0c80-\u0cff", "NotoSansKannada",
           "b6b11505d76eddf916667d73adfec19095ec777742444dc662dae81471461f4e"),
    Script("Mlym", "\u0d00-\u0d7f", "NotoSansMalayalam",
           "94cddc94a03fa9a5e8d1784090ba97b267def6933d60762081eaa003751142c5"),
    Script("Sinh", "\u0d80-\u0dff", "NotoSansSinhala",
           "3fd7c6a61cb6dfb8a2ca7af5b4078bd24e9c8ad9b55839a0177277db6e4d1326"),
    Script("Thai", "\u0e00-\u0e7f", "NotoSansThai",
           "13f52f79b04f01f2751a81052a5dee2df639fd4e13f4ac30821ab45c8dd5f7e7"),
    Script("Laoo", "\u0e80-\u0eff", "NotoSansLao",
           "fc138d605aa998d8407789ee6a7f5554aae8b54f5cd98d66dd2c33e79d15b67e"),
    Script("Mymr", "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f", "NotoSansMyanmar",
           "e0b280aa3080aab922800c88fa9a2015a4bec3103bb8b70491a92e4a04f3a3a3", scale=0.84),
    Script("Geor", "\u10a0-\u10ff\u1c90-\u1cbf\u2d00-\u2d2f", "NotoSansGeorgian",
           "42f4a8bf4fe0af8afd91ee3c19e81e14f1bc74ddbd9b6a59a4182f67a596adb4"),
    Script("Ethi", "\u1200-\u139f\u2d80-\u2ddf\uab00-\uab2f", "NotoSansEthiopic",
           "93f223089e300b983dbfd693c7be619e0e76565a70d639e71a4fe0bfd72cf66f"),
    Script("Khmr", "\u1780-\u17ff\u19e0-\u19ff", "NotoSansKhmer",
           "56f89948a84cc0b01962ed6af573ac4ac885bd7bb6e7e40f9afc72a435728b70"),
    Script(EMOJI, "\u20e3\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff", "NotoEmoji",
           "de6c18832938afc99caf132b39d6a30a19bac7f2e812e28db2535b4608d27551", without=" "),
)
# fmt: on

SCRIPTS = {script.code: script for script in _TABLE}
_BY_LETTER = re.compile("|".join(f"(?P<{code}>[{s.characters}])" for code, s in SCRIPTS.items()))


def script_of(text: str) -> str | None:
    """The code of the script of the text's first character; None if it needs no run of its own."""
    found = _BY_LETTER.match(text)
    return found.lastgroup if found else None
