"""What news readers know about words: names of one place, verbs of one deed, words that carry no meaning.

Each line of a table names one thing. The tables hold general knowledge of English, nothing about any article.
"""

import re
import unicodedata
from functools import lru_cache
from types import MappingProxyType

__all__ = [
    "CONCEPTS",
    "FUNCTION_WORDS",
    "MONTHS",
    "NUMBER_WORDS",
    "PHRASES",
    "PLACES",
    "PRONOUN_OPENING",
    "SEATS",
    "SPEECH",
    "SPELLINGS",
    "fold",
]


_PLAIN_LETTERS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "æ": "ae",
        "œ": "oe",
        "\u0131": "i",
        "ð": "d",
        "þ": "th",
        "’": "'",
        "\u02bc": "'",
        "\u2011": "-",
    }
)
"""What NFKD leaves as it is."""
_ENDING = re.compile(r"(?:n't|'(?:s|re|ve|ll|d|m)?)$")


@lru_cache(maxsize=65_536)
def fold(word: str) -> str:
    """Return a word as it is compared: without case, accents, dots, possessive and contraction."""
    plain = unicodedata.normalize("NFKD", word.casefold().translate(_PLAIN_LETTERS))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).replace(".", "")
    return _ENDING.sub("", plain).strip("-'")


_PLACES = """
uk britain british briton britons england english
us usa america american americans
eu
un
russia russian russians kremlin
ukraine ukrainian ukrainians
germany german germans
france french
italy italian italians
spain spanish spaniards
portugal portuguese
netherlands holland dutch
belgium belgian belgians
luxembourg luxembourgish
denmark danish danes
norway norwegian norwegians
sweden swedish swedes
finland finnish finns
iceland icelandic
ireland irish
poland polish poles
czechia czech czechs
slovakia slovak slovaks
hungary hungarian hungarians
austria austrian austrians
switzerland swiss
greece greek greeks
turkey turkish turks turkiye
bulgaria bulgarian bulgarians
romania romanian romanians
serbia serbian serbs
croatia croatian croats
slovenia slovenian slovenes
lithuania lithuanian lithuanians
latvia latvian latvians
estonia estonian estonians
belarus belarusian belarusians
georgia georgian georgians
moldova moldovan moldovans
albania albanian albanians
canada canadian canadians
mexico mexican mexicans
brazil brazilian brazilians
argentina argentine argentinian
china chinese
japan japanese
korea korean koreans
india indian indians
pakistan pakistani pakistanis
australia australian australians
zealand zealander zealanders
dprk
taiwan taiwanese
cyprus cypriot cypriots
malta maltese
kosovo kosovar kosovars
afghanistan afghan afghans
sudan sudanese
yemen yemeni yemenis
jordan jordanian jordanians
bosnia bosnian bosnians
macedonia macedonian macedonians
montenegro montenegrin montenegrins
armenia armenian armenians
azerbaijan azerbaijani azerbaijanis azeri azeris
kazakhstan kazakh kazakhs
libya libyan libyans
tunisia tunisian tunisians
algeria algerian algerians
morocco moroccan moroccans
somalia somali somalis
venezuela venezuelan venezuelans
colombia colombian colombians
cuba cuban cubans
philippines philippine filipino filipinos
malaysia malaysian malaysians
bangladesh bangladeshi bangladeshis
indonesia indonesian indonesians
vietnam vietnamese
thailand thai
laos laotian lao
israel israeli israelis
palestine palestinian palestinians
egypt egyptian egyptians
iran iranian iranians
iraq iraqi iraqis
syria syrian syrians
lebanon lebanese
saudi saudis
qatar qatari
nigeria nigerian nigerians
kenya kenyan kenyans
ethiopia ethiopian ethiopians
africa african africans
europe european europeans
asia asian asians
nordic nordics scandinavian scandinavians
baltic baltics
"""

_SPELLINGS = """
zelensky zelenskyy zelenskiy zelenskyi
kyiv kiev
odesa odessa
kharkiv kharkov
hezbollah hizbollah hizbullah hezbullah
gaddafi qaddafi
lukashenko lukashenka
"""

_CONCEPTS = """
pledge pledges pledged pledging commit committed commitment commitments promise promised promises vow vowed offer offered contribute contributed contribution contributions donate donated donation give gave given giving fund funded funding finance provide provided put
die died dead death deaths kill killed killing fatality fatalities toll lives casualties perished victims
injure injured injuries wound wounded hurt harmed
attack attacks attacked strike strikes struck bombardment bombard bombarded assault raid barrage hit
weapon weapons missile missiles drone drones arms
soldier soldiers troop troops forces force peacekeepers
say said says tell told state stated declare declared remark remarked comment
meeting summit conference talks gathering met meet convened session
host hosted hosting hosts chair chaired chairs co-chaired led presided
money amount amounts cost costs worth sum
total overall altogether
country countries nation nations states governments
deny denied denies reject rejected rejects dismiss dismissed
ask asked asks request requested call called calls urge urged demand demanded
agree agreed agreement agreements deal accord pact
end ended ends stop stopped halt halted finish finished conclude concluded
start started begin began begun launch launched open opened
damage damaged wrecked destroyed ruined
house home building residential block apartment apartments
plane aircraft jet flight
praise praised praises applaud applauded laud welcomed commended thanked thank
warn warned warning warnings threaten threatened threat
buy bought buying purchase purchases purchased pay paid
loan loans credit lend lent borrow
increase increased rise rose risen grow grew climbed
decrease decreased fall fell fallen drop dropped
child children kids minors youngsters
leader leaders head heads president premier
official officials representative representatives
help helped aid assist assistance support supported backing
build built rebuild rebuilding reconstruct reconstruction rebuilt recovery
suspect suspected suspects blame blamed accuse accused
win won victory winner
vote voted votes ballot ballots election elections poll polls
company companies firm firms business businesses corporation
job jobs worker workers staff employee employees
arrest arrested detained custody
resign resigned quit stepped
injunction court judge ruling ruled verdict
inflation prices price
jobless unemployment unemployed
economy economic growth recession downturn
visit visited visits travel travelled traveled trip arrived
"""

_SEATS = """
uk london whitehall westminster downingstreet
us washington pentagon whitehouse statedepartment
russia moscow
ukraine kyiv kiev rada
germany berlin bundestag federalrepublic
france paris elysee
italy rome
spain madrid moncloa
portugal lisbon
netherlands hague amsterdam
belgium brussels
eu brussels berlaymont
denmark copenhagen
norway oslo
sweden stockholm
finland helsinki
iceland reykjavik
ireland dublin taoiseach
poland warsaw sejm
czechia prague
slovakia bratislava
hungary budapest
austria vienna
switzerland bern
greece athens
turkey ankara
bulgaria sofia
romania bucharest
serbia belgrade
croatia zagreb
slovenia ljubljana
lithuania vilnius
latvia riga
estonia tallinn
moldova chisinau
georgia tbilisi
albania tirana
canada ottawa
brazil brasilia
china beijing
japan tokyo
korea seoul
dprk pyongyang
taiwan taipei
cyprus nicosia
malta valletta
kosovo pristina
afghanistan kabul
sudan khartoum
yemen sanaa
jordan amman
india delhi
pakistan islamabad
australia canberra
zealand wellington
indonesia jakarta
vietnam hanoi
thailand bangkok
israel jerusalem knesset
egypt cairo
iran tehran
iraq baghdad
syria damascus
lebanon beirut
saudi riyadh
qatar doha
nigeria abuja
kenya nairobi
belarus minsk
"""

_PHRASES = {
    "united kingdom": "uk", "great britain": "uk", "united states": "us", "united states of america": "us",
    "european union": "eu", "united nations": "un", "white house": "whitehouse", "new zealand": "zealand",
    "saudi arabia": "saudi", "south korea": "korea", "north korea": "dprk",
    "south korean": "korea", "south koreans": "korea", "north korean": "dprk", "north koreans": "dprk",
    "new zealander": "zealand", "new zealanders": "zealand", "saudi arabian": "saudi", "saudi arabians": "saudi",
    "czech republic": "czechia", "downing street": "downingstreet",
    "state department": "statedepartment", "federal republic": "federalrepublic", "new delhi": "delhi",
    "u.s.": "us", "the us": "us", "u.k.": "uk", "u.n.": "un", "e.u.": "eu", "u.s.a.": "us",
}  # fmt: skip

FUNCTION_WORDS = frozenset(
    """
    a about above according after again against all almost also although am among an and another any are around as at
    be because been before being below between both but by can cannot could did do does doing done down during each
    either else ever every few for from further had has have having he her here hers him himself his how however i if
    in into is it its itself just let like made make many may me might more most much must my near no nor not now of
    off on once one only or other our out over own per please same several shall she should since so some such than
    that the their theirs them themselves then there these they this those through till to together too toward towards
    under until up upon us very via was we were what when where whether which while who whom whose why will with within
    without would yes yet ca wo you your list name show tell give describe explain summarise summarize find mention mentioned
    report reported reports article articles news happen happened happens exactly say said says get got long old quote write put west east north south western eastern northern southern
    """.split()
)

SPEECH = frozenset(
    """
    said says say told tells stated states declared declares announced announces added adds warned warns argued argues
    claimed claims insisted insists emphasized emphasised stressed called calls described describes remarked noted
    notes explained explains asked asks urged urges demanded denied denies pledged promised vowed replied wrote
    according thanked praised rejected condemned confirmed suggested predicted acknowledged
    """.split()
)

MONTHS = MappingProxyType(
    {
        name: number
        for number, names in enumerate(
            "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|september sept sep|"
            "october oct|november nov|december dec".split("|"),
            start=1,
        )
        for name in names.split()
    }
)

NUMBER_WORDS = MappingProxyType(
    {
        **{
            word: value
            for value, word in enumerate(
                "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
                "seventeen eighteen nineteen twenty".split()
            )
        },
        "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "dozen": 12,
    }
)  # fmt: skip


def _groups(table: str) -> dict[str, str]:
    return {word: line.split()[0] for line in table.strip().splitlines() for word in line.split()}


PLACES = MappingProxyType(_groups(_PLACES))
"""From a folded word to the folded name of the place that it belongs to."""

SPELLINGS = MappingProxyType(_groups(_SPELLINGS))
"""From a folded name to the spelling that it is compared in."""

CONCEPTS = MappingProxyType(_groups(_CONCEPTS))
"""From a folded word to the first word of its group of words for one deed or thing."""

SEATS = MappingProxyType(
    {
        seat: tuple(line.split()[0] for line in _SEATS.strip().splitlines() if seat in line.split()[1:])
        for seat in {word for line in _SEATS.strip().splitlines() for word in line.split()[1:]}
    }
)
"""From the folded seat of a government to the places that it can stand for: "Ottawa pays" is Canada's payment."""

PHRASES = MappingProxyType(_PHRASES)
"""From names of several words, in lower case, to the one word that they are compared as."""

PRONOUN_OPENING = re.compile(
    r"[“\"‘']?(?:he|she|they|it|his|her|their|its|this|these|those|that|both|the (?:two|three|latter|former))\b",
    re.IGNORECASE,
)
"""A sentence that begins with a word for something said before it."""
