"""Composes the sample data of the masked-lm template: short notes on people at work.

    python tools/compose_masked_lm_sample.py               # writes the three files anew
    python tools/compose_masked_lm_sample.py --statistics  # also prints what they hold

The same script always writes the same bytes. A document tells of one person; what a
trade has to do with fits together, so that a missing word follows from the others. The
first sentence introduces the person, the last one ends the day. Validation and test
have names and towns that training does not, and no sentence of theirs stands in another
file.
"""

import argparse
import json
import random
import re
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "templates/templates/tasks/masked-lm/data"
SEED = 31
PLAN = {"train": 1000, "validation": 100, "test": 100}  # documents of each file

# Trade; what is done, past and infinitive; to what; where; with what; for whom.
TRADES = """
baker | baked, bake | rye bread | bakery | wooden shovel | early travellers
brewer | brewed, brew | dark beer | brewhouse | copper kettle | thirsty farmers
carpenter | built, build | oak tables | workshop | steel plane | young couples
shepherd | guarded, guard | white sheep | pasture | crooked staff | wool merchants
fisherman | caught, catch | silver herring | harbour | tarred net | hungry sailors
gardener | planted, plant | red tulips | greenhouse | long spade | quiet neighbours
blacksmith | forged, forge | iron gates | smithy | heavy hammer | rich landlords
potter | shaped, shape | clay jugs | pottery | spinning wheel | busy cooks
tailor | sewed, sew | winter coats | shop | sharp needle | elderly gentlemen
weaver | wove, weave | linen cloth | mill | old loom | noisy traders
teacher | explained, explain | hard sums | school | green blackboard | small pupils
doctor | treated, treat | broken arms | clinic | clean bandage | sick patients
pilot | flew, fly | small aeroplanes | airfield | radio compass | nervous passengers
sailor | crossed, cross | stormy seas | ship | brass telescope | foreign captains
miller | ground, grind | yellow corn | windmill | round stone | poor villagers
painter | painted, paint | bright portraits | studio | soft brush | proud ladies
violinist | played, play | slow waltzes | concert hall | old violin | rapt listeners
printer | printed, print | thick books | press | leaden type | learned readers
beekeeper | collected, collect | sweet honey | orchard | smoking can | curious children
glazier | cut, cut | coloured glass | chapel | fine diamond | pious monks
miner | dug, dig | black coal | tunnel | bright lamp | cold households
postman | delivered, deliver | sealed letters | post office | leather bag | shy widows
astronomer | watched, watch | distant stars | observatory | giant mirror | new students
judge | settled, settle | bitter quarrels | court | thick lawbook | angry brothers
""".strip().splitlines()

NAMES = {
    "train": "Ada Berit Conrad Dagny Edmund Flora Gilbert Hanne Ivor Karin Lorna "
    "Magnus Nadine Oskar Petra Rufus Sabine Theodor Ursula Walter",
    "validation": "Anders Bronwen Cyril Edda Hugo",
    "test": "Ingrid Jasper Maren Otto Thea",
}
TOWNS = {
    "train": "Alderford Brimham Carwick Daleton Elmstead Fenmouth Glendale Haverton "
    "Kirkwell Larkfield Marlham Netherby",
    "validation": "Oakenford Ravenham Selwick",
    "test": "Tarnton Whitstead Yewmouth",
}
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday".split()
MONTHS = "January March April June August October November".split()
RELATIVES = "grandfather grandmother uncle aunt father mother".split()
NUMBERS = "two three four five six seven eight nine ten twelve".split()

FIRST = [
    "{name} is the {trade} of {town}.",
    "{name} came to {town} {number} years ago and became {a_trade}.",
    "Everybody in {town} knows {name}, the {trade}.",
]
MIDDLE = [
    "Every {day} {name} {past} {things} in the {place}.",
    "The {tool} that hangs in the {place} belonged to {name}'s {relative}.",
    "In {month} {whom} came to the {place} and asked {name} for {things}.",
    "With {a_tool} {name} can {do} {things} in {number} hours.",
    "{A_trade} needs {a_tool}, says {name}, and much patience.",
    "{name} learned how to {do} {things} from an {adjective} {relative}.",
    "Last {month} {name} {past} {things} for {number} {whom}.",
    "On {day} the {place} of {town} was full of {whom}.",
]
LAST = [
    "When it gets dark, {name} puts the {tool} away and locks the {place}.",
    "On {day} evening {name} sweeps the {place} and goes home to {town}.",
    "At night the {place} is silent, and {name} dreams of {things}.",
]


def with_article(noun: str) -> str:
    """Put "a" or "an" before a noun."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def compose_document(split: str, rng: random.Random) -> list[str]:
    """Return the sentences of one document."""
    trade, verbs, things, place, tool, whom = rng.choice(TRADES).split(" | ")
    past, do = verbs.split(", ")
    values = {
        "trade": trade,
        "a_trade": with_article(trade),
        "A_trade": with_article(trade).capitalize(),
        "a_tool": with_article(tool),
        "past": past,
        "do": do,
        "things": things,
        "place": place,
        "tool": tool,
        "whom": whom,
        "name": rng.choice(NAMES[split].split()),
        "town": rng.choice(TOWNS[split].split()),
        "day": rng.choice(DAYS),
        "month": rng.choice(MONTHS),
        "relative": rng.choice(RELATIVES),
        "number": rng.choice(NUMBERS),
        "adjective": rng.choice(["old", "impatient", "honest"]),
    }
    chosen = [rng.choice(FIRST), *rng.sample(MIDDLE, rng.randint(2, 4))]
    return [pattern.format(**values) for pattern in [*chosen, rng.choice(LAST)]]


def compose_all() -> dict[str, list[dict[str, str]]]:
    """Compose the records of each file, by its name."""
    files: dict[str, list[dict[str, str]]] = {}
    for split, count in PLAN.items():
        rng = random.Random(f"{SEED}-{split}")
        texts: dict[str, None] = {}
        while len(texts) < count:
            texts[" ".join(compose_document(split, rng))] = None
        files[f"{split}.jsonl"] = [
            {"id": f"{split}-{number:04d}", "text": text}
            for number, text in enumerate(texts, 1)
        ]
    return files


def write_files(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Write the three files and return their records by file name."""
    files = compose_all()
    folder.mkdir(parents=True, exist_ok=True)
    for name, records in files.items():
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
        (folder / name).write_text("".join(lines), encoding="utf-8", newline="\n")
    return files


def main() -> None:
    """Write the files, and print what the flags ask for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="where to write the files"
    )
    parser.add_argument(
        "--statistics", action="store_true", help="print what the files hold"
    )
    arguments = parser.parse_args()
    for name, records in write_files(arguments.folder).items():
        if arguments.statistics:
            texts = [record["text"] for record in records]
            words = [re.findall(r"\w+", text.lower()) for text in texts]
            print(
                f"{name}: {len(texts)} documents, {sum(map(len, words))} words, "
                f"{len({word for each in words for word in each})} different ones, "
                f"{sum(map(len, texts)):,} characters"
            )


if __name__ == "__main__":
    main()
