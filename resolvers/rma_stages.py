"""RMA stages: where requests and their lines stand, and what becomes of them, in the words that clients see."""

from resolvers.enums import publish
from rules.rma_requests import Resolution, RMALineState, RMAStage, RMAWish

publish(
    Resolution,
    description="What the company will do about a line of a request to return goods.",
    value={
        Resolution.DIAGNOSE: "Look at it first.",
        Resolution.REPAIR: "Repair it.",
        Resolution.REPLACE: "Take it back, credit it, and send another one.",
        Resolution.RETURN: "Take it back and credit it.",
        Resolution.REFUND: "Take it back, credit it, and pay the money back.",
        Resolution.DECLINED: "Nothing, for a reason that is said.",
    }.__getitem__,
)
publish(
    RMAWish,
    description="What a customer wishes for; the company decides.",
    value={
        RMAWish.REPAIR: "That it is repaired.",
        RMAWish.REPLACE: "That another one comes instead.",
        RMAWish.RETURN: "That it is taken back and credited.",
        RMAWish.REFUND: "That it is taken back and the money paid back.",
    }.__getitem__,
)
publish(
    RMALineState,
    description="Where a line of a request stands.",
    value={
        RMALineState.DRAFT: "The customer is still writing.",
        RMALineState.SUBMITTED: "Nobody has decided about it.",
        RMALineState.IN_DIAGNOSIS: "The company looks at it before it decides.",
        RMALineState.AUTHORISED: "Granted, all or part; nothing has come back yet.",
        RMALineState.RECEIVED: "Something has come back.",
        RMALineState.COMPLETED: "All that was granted has happened.",
        RMALineState.DECLINED: "The company will do nothing.",
        RMALineState.CLOSED: "The company has ended it before all was done.",
    }.__getitem__,
)
publish(
    RMAStage,
    description="Where a request stands: at what the company has to do next for any of its lines.",
    value={
        RMAStage.DRAFT: "The customer is still writing; the company does not see it.",
        RMAStage.SUBMITTED: "Nobody has decided about any of it.",
        RMAStage.IN_REVIEW: "Something is still to be decided.",
        RMAStage.AUTHORISED: "All is decided; goods are to come back, or a repair is to be done.",
        RMAStage.RECEIVED: "All is decided; of a line that is not done something has come back.",
        RMAStage.COMPLETED: "All that was granted has happened.",
        RMAStage.DECLINED: "Nothing of it was granted.",
        RMAStage.CLOSED: "The company has ended it before all was done.",
    }.__getitem__,
)
