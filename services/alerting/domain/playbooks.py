"""What to do about it: the advice that a task carries, from the field's own practice (closing the loop)."""

DEEP_DETRACTOR = (
    "The same day, together with a leader. Empathy first: engage, listen, make them feel valued. Be honest about time:"
    " if it takes six months do not say six weeks. Fix the problem at hand and report back. No talk of innovation yet."
)
DETRACTOR = (
    "Empathy first: engage, listen, make them feel valued. Be honest about time: if it takes six months do not say six"
    " weeks. Fix the problem at hand and report back. No talk of innovation yet."
)
BURST = (
    "This is about the account, not about one person. Read the comments together, find what they have in common, and"
    " talk to the sponsor on their side before calling one by one. One plan with dates, one voice, and everybody who"
    " answered hears what comes of it."
)
PASSIVE = (
    "Learn what is missing. Differentiate; talk about value for money rather than price. Now innovation may be shown;"
    " look for what would make them buy more."
)
FOLLOW_UP_REQUESTED = (
    "They asked for it: a leader calls, whatever the score. Listen, agree on what happens next, and report back."
)
TWO_FALLS = (
    "Two falls in a row are a trend, not a mood. Compare both answers and their comments, ask what changed, and agree"
    " on one thing to put right first."
)
LOW_SATISFACTION = (
    "Call about this touchpoint while it is fresh: what went wrong, what would have been right. Fix the problem at"
    " hand and report back."
)
HIGH_EFFORT = (
    "Make business easier: find the step that cost the effort, take it over for them now, and remove it for the next"
    " one. Tell them when it is gone."
)
ACCOUNT_DROP = (
    "Look at who moved, not at the average: read the newest answers side by side, decision-makers first. Speak with"
    " those who fell, inform the sponsor, and bring what was done to the next business review."
)
ACCOUNT_CLASS = (
    "The mix of this account has turned. List promoters, passives and detractors by role, win the promoters' help,"
    " call the detractors first, and agree with the sponsor on a plan."
)
RENEWAL = (
    "The contract ends soon. See the decision-maker in person, with the sponsor: what did we promise, what was done,"
    " what is open? Repair first, renew then; no price talk before they feel heard."
)
SEGMENT = (
    "One cause behind many accounts: read the newest comments of this segment side by side, name the cause, decide who"
    " removes it and by when, and let every owner tell their customers."
)
BOUNCED = (
    "The address does not work. Ask a colleague at the account who does this job now, correct the directory, and say"
    " hello to the successor before the next survey does."
)
SILENT = (
    "No signal is a signal. Reach out in person; check the contact; change the channel. Ask when would be a good time"
    " and what would make answering worth it."
)
PROMOTER = (
    "Thank them. Ask for a referral, a testimonial, a case study or a public review; look for what they would buy next."
)
RECOVERED = (
    "Thank them and say what was done because of their earlier answer; write down what worked. If they are happy now,"
    " ask for a referral, a testimonial or a public review."
)
MANUAL = "Make business easier, be proactive: say what happens next and by when, and report back."
