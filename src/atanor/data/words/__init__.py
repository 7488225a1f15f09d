"""English and Spanish words as augmentation and the bias room need them: closed classes, inflection, letter case."""
