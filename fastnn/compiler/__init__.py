"""From descriptions to a plan: sizes, lowering, fusion, folding and the optimizer's step."""
