"""What is asked of the services, each with the type of its answer: `api.ask(ACCOUNT, account_id="acme", window="90d")`.

tests/contract holds that each is a route of its service, and that its answer is the model that the route answers with.
"""

from shared.api.accounts import Account, Explanation, ListedAccount
from shared.api.business import Drivers, PortfolioRevenue
from shared.api.comparisons import AccountComparison
from shared.api.follow_ups import FollowUp, FollowUpDetail, Summary, Why
from shared.api.people import Change, Person, PersonWithResponses, Response
from shared.api.portfolio import AccountTrend, PortfolioScore, PortfolioTrend
from shared.api.reach import PortfolioFunnel, PortfolioGaps
from shared.api.reviews import ReviewPack
from shared.http.client import Question
from shared.http.paging import Page

ACCOUNT = Question("scorer", "/v1/accounts/{account_id}", Account)
ACCOUNTS = Question("scorer", "/v1/accounts", Page[ListedAccount])
ACCOUNT_TREND = Question("scorer", "/v1/accounts/{account_id}/trend", AccountTrend)
STAKEHOLDERS = Question("scorer", "/v1/accounts/{account_id}/stakeholders", Page[Person])
STAKEHOLDER = Question("scorer", "/v1/accounts/{account_id}/stakeholders/{stakeholder_id}", PersonWithResponses)
EVERYBODY = Question("scorer", "/v1/stakeholders", Page[Person])
EXPLANATION = Question("scorer", "/v1/explain", Explanation)
RESPONSES = Question("scorer", "/v1/responses", Page[Response])
RESPONSE = Question("scorer", "/v1/responses/{response_id}", Response)
CHANGES = Question("scorer", "/v1/changes", Page[Change])
PORTFOLIO_SCORE = Question("scorer", "/v1/portfolio/score", PortfolioScore)
PORTFOLIO_TREND = Question("scorer", "/v1/portfolio/trend", PortfolioTrend)
PORTFOLIO_FUNNEL = Question("scorer", "/v1/portfolio/funnel", PortfolioFunnel)
PORTFOLIO_GAPS = Question("scorer", "/v1/portfolio/coverage", PortfolioGaps)
PORTFOLIO_REVENUE = Question("scorer", "/v1/portfolio/revenue", PortfolioRevenue)
DRIVERS = Question("scorer", "/v1/drivers", Drivers)
FOLLOW_UPS = Question("alerting", "/v1/follow-ups", Page[FollowUp])
FOLLOW_UP = Question("alerting", "/v1/follow-ups/{follow_up_id}", FollowUpDetail)
FOLLOW_UP_REASONS = Question("alerting", "/v1/follow-ups/{follow_up_id}/why", Why)
FOLLOW_UP_SUMMARY = Question("alerting", "/v1/follow-ups/summary", Summary)
ACCOUNT_COMPARISON = Question("benchmark", "/v1/comparisons/accounts/{account_id}", AccountComparison)
ACCOUNT_REVIEW = Question("benchmark", "/v1/reviews/accounts/{account_id}", ReviewPack)
