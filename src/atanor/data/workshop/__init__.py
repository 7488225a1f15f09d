"""The workshop: files and a recipe become a dataset one can trust, stage by stage, with everything told.

In: a `Recipe` (sources and the options of every stage). Out: a `Dataset` on disk: three tables, a log, a description.

    recipe = Recipe(sources=(SourceOptions(path="talk.jsonl"),), split=SplitOptions())
    dataset = build_dataset(recipe, root, folder)
    train = dataset.examples(Side.TRAIN)                  # or dataset.batches(...), in bounded memory
    refused = dataset.refusals                            # each with its place, reason and fix
    trace_row(dataset, "talk.jsonl:12")                   # from the source line to the side it is on

A stage that looks at rows one by one takes a table of the schema `table.ROWS` and gives a `StageResult`; it runs block
by block in several processes (`blocks`). What needs a view of all rows is decided afterwards on a few numbers a row
(`decisions`). Nothing here is imported before it is needed: Arrow and the checks take a moment to load.
"""
