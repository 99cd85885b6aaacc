"""Every SQL statement of alerting, returning domain values. The tables that statements are made of are in `tables`;
what the names of the others do not say:

account_scores: what the scorer has published of an account. The newest snapshot is in `sequence` to `computed_at`; the
class, its changes, the last drop and its recovery come from events as well, and of each the greatest sequence counts.

account_sequences: the number of the last webhook message of each account.

account_watches: when an account was first known, and the day of the daily watch that evaluated it last; segments are in
it as well, under the names that stand for accounts.

callbacks: what CRMs have sent back, by id, with a hash of the bytes.

contract_events: contracts that were renewed or lost.

erasures: who was erased, by keyed hash, and when: what was recorded until then is dropped wherever it turns up. Before
`applied_at` the person is hidden, and `stakeholder_id` names them.

invitations: how far each invitation came, the first moment of each step; the columns from `asked_at` on are what the
scorer has published.

notices: one thing to tell one recipient, by ids only; the words are made when it is sent. `message_id` is that of the
mail, which all notices of a bundle share.

task_occasions: the occasions of tasks, own and taken in, with the facts that rules were evaluated on; an empty
`stakeholder_id` is the account itself.
"""
