"""Try out what `build` returns, before the first trial."""

from __future__ import annotations

from typing import Any

import optuna

from ...errors import ArgumentError, ArgumentTypeError
from ...model import data_sets
from ...model.base import model_of
from ...network import Network
from ..build import WrongModelError, model_for
from ..study.studies import quiet
from ..workers.jobs import Build
from .samplers import CountedRandomSampler
from .spaces import Space

#: Draws from the space of which at least one must work. A single one may fail in an unlucky corner
#: of the space, which its trial will report.
DRAWS = 3


def probe(
    space: Space, build: Build, seed: int, X: Any, y: Any, validation_data: Any = None
) -> Any:
    """Return a model that `build` makes of a draw from the space, and that accepts the data.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        No draw gives one: the space or `build` raised an exception, `build` returned something
        else, or the networks take other data.
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
                data = data_sets.data_set_for(model_of(model), X, y)
                sizes = model_of(model).architecture_for(data.x.shape[1:])
                if isinstance(validation_data, tuple) and len(validation_data) in (2, 3):
                    source = f"validation_data for {source}"
                    data_sets.data_set(sizes, *validation_data)
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
