"""What every kind of journal record is built from."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from poc_server.store.ids import clean

MAX_MS = 2**62
Ms = Annotated[int, Field(ge=0, le=MAX_MS)]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
Text = Annotated[str, Field(max_length=128), AfterValidator(clean)]


class Record(BaseModel):
    """Base of all: frozen, nothing unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True)
