"""What callers send to alerting: the examples of the documents are taken as they stand."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from services.alerting.api import models, rules_models
from services.alerting.courier.api import models as webhooks_models


def bodies(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The models below a base that have an example."""
    for model in base.__subclasses__():
        if "examples" in extra(model):
            yield model
        yield from bodies(model)


def extra(model: type[BaseModel]) -> dict[str, Any]:
    found = model.model_config.get("json_schema_extra")
    return found if isinstance(found, dict) else {}


BASES: tuple[type[BaseModel], ...] = (models.Input, rules_models.DryRunTime, webhooks_models.Input)
ALL = {model.__name__: model for base in BASES for model in bodies(base)}


@pytest.mark.parametrize("name", sorted(ALL))
def test_an_example_of_a_body_is_taken(name: str) -> None:
    for example in extra(ALL[name])["examples"]:
        assert ALL[name].model_validate(example).model_fields_set == set(example)
