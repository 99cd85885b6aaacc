"""Views for Tableau, Power BI and whatever else speaks SQL, with a role that reads them and nothing else.

The views are a contract with the workbooks built on them: columns are added, never renamed or removed. A later
migration that renames, retypes or drops a column under a view drops and makes the view again.
"""

import re

from alembic import op

revision = "scorer_2"
down_revision = "scorer_1"
compatible_since = "scorer_1"


def _answers(picked: str, lowest: int, highest: int) -> str:
    return " + ".join(f"coalesce({picked}_{score}, 0)" for score in range(lowest, highest + 1))


def _categories(method: str) -> str:
    """A row of `values`: the method, then promoters, passives and detractors, now and before."""
    counts = (
        _answers(picked, *scores) for picked in (method, f"{method}_before") for scores in ((9, 10), (7, 8), (0, 6))
    )
    return f"('{method}', {', '.join(counts)})"


# As domain/figures.py computes them, by the same steps in the same order: so the same doubles come out.
ACCOUNT_SCORES = f"""
    create view analytics.account_scores as
    select s.account_id, c.score_window, t.method, s.account_class, s.computed_at,
        100.0::float8 * (p - d) / nullif(n, 0) as nps,
        p as promoter_count, q as passive_count, d as detractor_count,
        n as response_count, coalesce(c.respondents, 0) as stakeholder_count,
        case when n > 0 then greatest(-100, 100 * (mean - 1.959963984540054::float8 * sqrt(error))) end as ci_low,
        case when n > 0 then least(100, 100 * (mean + 1.959963984540054::float8 * sqrt(error))) end as ci_high,
        100.0::float8 * (p_before - d_before) / nullif(n_before, 0) as previous_nps,
        100.0::float8 * (cast(p - d as bigint) * n_before - cast(p_before - d_before as bigint) * n)
            / nullif(cast(n_before as bigint) * n, 0) as change,
        n > 0 and n_before > 0 and least(c.respondents_before, c.respondents) >= 10
            and abs((mean - mean_before) / sqrt(error_before + error)) >= 1.959963984540054::float8 as significant,
        coalesce(c.answered, 0)::float8 / nullif(coalesce(c.sent, 0) - coalesce(c.bounced, 0), 0) as response_rate,
        c.last_at as last_answered_at
    from snapshots s join account_counts_now c using (account_id)
    cross join lateral (values {_categories("latest")}, {_categories("all")})
        as t (method, p, q, d, p_before, q_before, d_before)
    cross join lateral (select p + q + d as n, p_before + q_before + d_before as n_before) as totals
    cross join lateral (select (p - d) / (n + 3)::float8 as mean, (p_before - d_before) / (n_before + 3)::float8
        as mean_before) as adjusted
    cross join lateral (
        select ((p + d + 1.5::float8) / (n + 3) - mean * mean) / (n + 3) as error,
            ((p_before + d_before + 1.5::float8) / (n_before + 3) - mean_before * mean_before) / (n_before + 3)
                as error_before
    ) as errors
"""  # noqa: S608 - names of this module

VIEWS = [
    """
    create view analytics.accounts as
    select account_id, name, industry, tier, region, revenue_amount, revenue_currency, renewal_on, owner_name,
        owner_email, parent_account_id, removed
    from accounts
    """,
    """
    create view analytics.stakeholders as
    select account_id, stakeholder_id, name, type, job_title, job_level, removed from stakeholders s
    where visible(s)
    """,
    """
    create view analytics.responses as
    select r.response_id, r.account_id, r.stakeholder_id, r.survey_type, r.score,
        case when r.survey_type <> 'nps' then null when r.score >= 9 then 'promoter'
            when r.score >= 7 then 'passive' else 'detractor' end as category,
        case when r.survey_type <> 'nps' then null when r.score >= 9 then 1
            when r.score >= 7 then 0 else -1 end as nps_factor,
        r.comment, r.answered_at, r.recorded_at, r.updated_at, r.nps_kind, r.touchpoint, r.product, r.channel,
        r.survey_id, r.invitation_id, r.language, r.follow_up_requested, r.given_stakeholder_id,
        not exists (
            select from responses n where not n.withdrawn and not n.erased and not n.test
            and n.account_id = r.account_id and n.stakeholder_id = r.stakeholder_id and n.survey_type = r.survey_type
            and (n.answered_at, n.response_id collate "C") > (r.answered_at, r.response_id collate "C")
        ) as is_latest
    from responses r where not r.withdrawn and not r.erased and not r.test
    and visible(r)
    """,
    """
    create view analytics.answers as
    select e.response_id, e.question_id, e.account_id, e.stakeholder_id, e.answered_at, e.type, e.attribute,
        e.value_number, e.value_text
    from response_answers e join responses r using (response_id) where not r.withdrawn and not r.erased and not r.test
    and visible(r)
    """,
    """
    create view analytics.invitations as
    select account_id, invitation_id, stakeholder_id, survey_id, channel, sent_at, delivered_at, opened_at, started_at,
        reminded_at, bounced_at, expired_at, unsubscribed_at, given_stakeholder_id
    from invited_people i where sent_at is not null
    and visible(i)
    """,
    ACCOUNT_SCORES,
    """
    create view analytics.context_events as
    select m.event_id, m.account_id, coalesce(l.stakeholder_id, m.stakeholder_id) as stakeholder_id, m.kind, m.at,
        m.label
    from context_marks m left join aliases l on l.account_id = m.account_id and l.alias_id = m.stakeholder_id
    where visible(m)
    """,
]
# Who waits to be erased is in no row that names people.
NOT_WAITING = r"""not exists (
    select from erasures waiting where waiting.applied_at is null
    and waiting.account_id = \1.account_id and waiting.stakeholder_id = \1.stakeholder_id
)"""
ROLE = """
do $$
begin
    if not exists (select from pg_roles where rolname = 'tellback_analytics') then
        begin
            create role tellback_analytics nologin;
        exception
            when duplicate_object or unique_violation then null; -- another database was migrated at the same moment
            when insufficient_privilege then
                raise notice 'role tellback_analytics was not made: this user may not create roles';
        end;
    end if;
    if exists (select from pg_roles where rolname = 'tellback_analytics') then
        grant usage on schema analytics to tellback_analytics;
        grant select on all tables in schema analytics to tellback_analytics;
    end if;
end
$$
"""
LIMITS = """
do $$
begin
    if not exists (select from pg_roles where rolname = 'tellback_analytics' and rolconfig @> array[
        'statement_timeout=5min', 'lock_timeout=5s', 'idle_in_transaction_session_timeout=1min'
    ]) then
        alter role tellback_analytics set statement_timeout = '5min';
        alter role tellback_analytics set lock_timeout = '5s';
        alter role tellback_analytics set idle_in_transaction_session_timeout = '1min';
    end if;
exception
    when internal_error then null; -- "tuple concurrently updated": another database of this server has set them
    when undefined_object or insufficient_privilege then
        raise notice 'role tellback_analytics has no time-outs: this user may not set them';
end
$$
"""
CLOSE = """
do $$
declare
    function regprocedure;
begin
    for function in
        select oid from pg_proc where pronamespace = 'pg_catalog'::regnamespace
        and proname ~ '^(pg_(try_)?advisory_|lo_|loread$|lowrite$)' and pg_has_role(proowner, 'usage')
    loop
        execute format('revoke execute on function %s from public', function);
        execute format('grant execute on function %s to %I', function, current_user);
    end loop;
    if pg_has_role((select datdba from pg_database where datname = current_database()), 'usage') then
        execute format('revoke temporary on database %I from public', current_database());
        execute format('grant temporary on database %I to %I', current_database(), current_user);
    end if;
end
$$
"""
"""Everybody may take advisory locks, write large objects and make temporary tables, unless it is taken from all: then
only the user of the services has it. An analyst could hold the locks that writes wait for, or fill the disk."""


def upgrade() -> None:
    """Make the schema, its views and, where this user may, the role with its limits. The role belongs to the whole
    server; what is taken from everybody is taken in this database alone."""
    op.execute("create schema if not exists analytics")
    for view in VIEWS:
        op.execute(re.sub(r"visible\((\w)\)", NOT_WAITING, view))
    for statement in (ROLE, LIMITS, CLOSE):
        op.execute(statement)
