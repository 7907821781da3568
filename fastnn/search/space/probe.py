"""A look at what `build` makes, before the first trial."""

from __future__ import annotations

from typing import Any

import optuna

from ...data import data_set
from ...errors import ArgumentError, ArgumentTypeError
from ...network import Network
from ..build import WrongModelError, model_for
from ..study.studies import quiet
from ..workers.jobs import Build
from .samplers import CountedRandomSampler
from .spaces import Space

#: Draws from the space of which one at least must work. A single one may be an unlucky corner,
#: which is for its trial to report.
DRAWS = 3


def probe(
    space: Space, build: Build, seed: int, X: Any, y: Any, validation_data: Any = None
) -> Any:
    """A model that `build` made of parameters drawn from the space, and that takes the data.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        There is none among some draws: the space or `build` raised an exception, `build` returned
        something else, or the networks take other data.
    """
    with quiet():
        study = optuna.create_study(sampler=CountedRandomSampler(seed))
    complaints: list[tuple[str, Exception]] = []
    for number in range(DRAWS):
        source = "space"
        try:
            trial = study.ask()
            params = space(trial)
            if not trial.params:
                raise ArgumentError("it asked the trial for nothing: there is nothing to search")
            source = f"build({params})"
            model = model_for(build, seed, params, number)
            source = f"the network of build({params})"
            if isinstance(model, Network):
                settled = model.settle_for(X)
                data_set.data_set(settled, X, y)
                if isinstance(validation_data, tuple) and len(validation_data) in (2, 3):
                    source = f"validation_data for {source}"
                    data_set.data_set(settled, *validation_data)
            return model
        except WrongModelError:
            raise
        except Exception as error:
            complaints.append((source, error))
    source, first = complaints[0]
    kind = ArgumentTypeError if isinstance(first, TypeError) else ArgumentError
    raise kind(
        f"no draw of {DRAWS} from the space can be trained; the first: {source} raised "
        f"{type(first).__name__}: {first}"
    ) from first
