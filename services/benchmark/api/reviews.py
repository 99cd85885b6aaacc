"""The route of the review pack."""

from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Query
from pydantic import Field

from services.benchmark.api.parameters import Authorization, Moment, StandardWindow
from services.benchmark.api.resources import Resources
from services.benchmark.handlers.reviews import ReviewQuestion
from shared.api.reviews import ReviewPack
from shared.http.auth import Reader
from shared.http.params import PathId
from shared.http.query import Parameters, no_repeats
from shared.http.routing import Router

router = Router(prefix="/v1/reviews", tags=["reviews"], dependencies=[Depends(no_repeats)])


class ReviewQuery(Parameters):
    """Which time, for whom."""

    from_: Moment | None = Field(
        default=None, alias="from", description="After this moment; default the last review held, else 91 days."
    )
    to: Moment | None = Field(default=None, description="Up to this moment; default now.")
    audience: Literal["internal", "client"] = Field(
        default="internal",
        description="`client` leaves out internal notes, revenue, and whatever tells of other accounts.",
    )
    window: StandardWindow = Field(default="365d", description="The window of the scores.")


@router.get(
    "/accounts/{account_id}",
    response_model=ReviewPack,
    response_model_exclude_unset=True,
    summary="The review pack of an account",
)
async def get_review(
    account_id: Annotated[PathId, Path(description="The account.")],
    caller: Reader,
    resources: Resources,
    authorization: Authorization,
    asked: Annotated[ReviewQuery, Query()],
) -> dict[str, Any]:
    """What a business review needs: scores by type of people then and now, who changed, what was said, what was done
    about it and what was promised, what is open, and how the account compares. For a client without internal notes,
    revenue, ranks and the names of other accounts, also where somebody wrote them into a text."""
    return await resources.reviews.of(
        ReviewQuestion(
            authorization=authorization,
            account_id=account_id,
            since=asked.from_,
            upto=asked.to,
            audience=asked.audience,
            window=asked.window,
            owner_email=caller.owner_email,
        )
    )
