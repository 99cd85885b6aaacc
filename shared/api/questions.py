"""What is asked of the services, each with the type of its answer: `api.ask(ACCOUNT, account_id="acme", window="90d")`.

tests/contract holds that each is a route of its service, and that its answer is the model that the route answers with.
"""

from shared.api.accounts import Account, Explanation, ListedAccount
from shared.api.asks import Ask, AskDetail, AskLink, AskSummary, Suppression
from shared.api.benchmark_funnel import Funnel
from shared.api.bounces import Bounce
from shared.api.business import Drivers, PortfolioRevenue
from shared.api.business_reviews import BusinessReview, DueReview, ListedReview
from shared.api.cohorts import CohortsModel
from shared.api.comparisons import AccountComparison, PortfolioComparison, PublishedBenchmarks
from shared.api.directory import AccountView, StakeholderView
from shared.api.doubles import Doubles
from shared.api.follow_ups import FollowUp, FollowUpDetail, Summary, Why
from shared.api.imports import ImportedRows, ImportRules, ImportView
from shared.api.keys import Key
from shared.api.loop_backs import LoopBack
from shared.api.maturity import ListedResult, Questionnaire, Result
from shared.api.notifications import NotificationItem
from shared.api.parked import ParkedContent, ParkedRecord
from shared.api.people import Change, Person, PersonWithResponses, Response
from shared.api.portfolio import AccountTrend, PortfolioScore, PortfolioTrend
from shared.api.programmes import Calendar, DryRun, Programme
from shared.api.reach import PortfolioFunnel, PortfolioGaps
from shared.api.response_targets import ResponseTargets
from shared.api.reviews import ReviewPack
from shared.api.rules import RuleView
from shared.api.sending_domain import SendingDomain
from shared.api.surveys import Survey, SurveyHead, SurveyTemplates, SurveyVersion, SurveyVersionDetail
from shared.api.waves import WavePeople, Waves
from shared.api.webhooks import DeliveryDetail, DeliveryItem, EndpointDetail, EndpointItem
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
RULES = Question("alerting", "/v1/rules", Page[RuleView])
RULE = Question("alerting", "/v1/rules/{rule}", RuleView)
RULE_VERSIONS = Question("alerting", "/v1/rules/{rule}/versions", Page[RuleView])
NOTIFICATIONS = Question("alerting", "/v1/notifications", Page[NotificationItem])
ENDPOINTS = Question("alerting", "/v1/webhook-endpoints", Page[EndpointItem])
ENDPOINT = Question("alerting", "/v1/webhook-endpoints/{endpoint_id}", EndpointDetail)
DELIVERIES = Question("alerting", "/v1/webhook-endpoints/{endpoint_id}/deliveries", Page[DeliveryItem])
DELIVERY = Question("alerting", "/v1/deliveries/{delivery_id}", DeliveryDetail)
ACCOUNT_COMPARISON = Question("benchmark", "/v1/comparisons/accounts/{account_id}", AccountComparison)
PORTFOLIO_COMPARISON = Question("benchmark", "/v1/comparisons/portfolio", PortfolioComparison)
PUBLISHED_BENCHMARKS = Question("benchmark", "/v1/benchmarks", PublishedBenchmarks)
FUNNEL = Question("benchmark", "/v1/funnel", Funnel)
COHORTS = Question("benchmark", "/v1/cohorts", CohortsModel)
ACCOUNT_REVIEW = Question("benchmark", "/v1/reviews/accounts/{account_id}", ReviewPack)
MATURITY = Question("benchmark", "/v1/maturity", Result)
MATURITY_QUESTIONS = Question("benchmark", "/v1/maturity/questions", Questionnaire)
MATURITY_RESULTS = Question("benchmark", "/v1/maturity/assessments", Page[ListedResult])
BUSINESS_REVIEWS = Question("outreach", "/v1/business-reviews", Page[ListedReview])
BUSINESS_REVIEW = Question("outreach", "/v1/business-reviews/{review_id}", BusinessReview)
DUE_REVIEWS = Question("outreach", "/v1/business-reviews/due", Page[DueReview])
PROGRAMMES = Question("outreach", "/v1/programmes", Page[Programme])
PROGRAMME = Question("outreach", "/v1/programmes/{programme_id}", Programme)
PROGRAMME_DRY_RUN = Question("outreach", "/v1/programmes/{programme_id}/dry-run", DryRun)
PROGRAMME_CALENDAR = Question("outreach", "/v1/programmes/calendar", Calendar)
ASKS = Question("outreach", "/v1/asks", Page[Ask])
ASK = Question("outreach", "/v1/asks/{ask_id}", AskDetail)
ASK_LINK = Question("outreach", "/v1/asks/{ask_id}/link", AskLink)
ASK_SUMMARY = Question("outreach", "/v1/asks/summary", AskSummary)
BOUNCES = Question("outreach", "/v1/bounces", Page[Bounce])
SENDING_DOMAIN = Question("outreach", "/v1/sending-domain", SendingDomain)
WAVES = Question("outreach", "/v1/waves", Waves)
WAVE_PEOPLE = Question("outreach", "/v1/programmes/{programme_id}/waves/{day}/people", WavePeople)
RESPONSE_TARGETS = Question("outreach", "/v1/response-targets", ResponseTargets)
LOOP_BACKS = Question("outreach", "/v1/loop-backs", Page[LoopBack])
SUPPRESSIONS = Question("outreach", "/v1/suppressions", Page[Suppression])
SURVEY_TEMPLATES = Question("outreach", "/v1/survey-templates", SurveyTemplates)
SURVEYS = Question("outreach", "/v1/surveys", Page[SurveyHead])
SURVEY = Question("outreach", "/v1/surveys/{survey_id}", Survey)
SURVEY_VERSIONS = Question("outreach", "/v1/surveys/{survey_id}/versions", Page[SurveyVersion])
SURVEY_VERSION = Question("outreach", "/v1/surveys/{survey_id}/versions/{version}", SurveyVersionDetail)
ACCOUNT_RECORDS = Question("collector", "/v1/accounts", Page[AccountView])
ACCOUNT_RECORD = Question("collector", "/v1/accounts/{account_id}", AccountView)
PERSON_RECORD = Question("collector", "/v1/accounts/{account_id}/stakeholders/{stakeholder_id}", StakeholderView)
DOUBLES = Question("collector", "/v1/accounts/{account_id}/doubles", Doubles)
IMPORT_RULES = Question("collector", "/v1/import-rules", ImportRules)
IMPORTS = Question("collector", "/v1/imports", Page[ImportView])
IMPORT = Question("collector", "/v1/imports/{import_id}", ImportView)
IMPORTED_ROWS = Question("scorer", "/v1/imports/{import_id}", ImportedRows)
KEYS = Question("collector", "/v1/keys", Page[Key])
DEAD_LETTERS = Question("collector", "/v1/dead-letters", Page[ParkedRecord])
DEAD_LETTER = Question("collector", "/v1/dead-letters/{parked_id}", ParkedContent)
CONFLICTS = Question("collector", "/v1/conflicts", Page[ParkedRecord])
CONFLICT = Question("collector", "/v1/conflicts/{parked_id}", ParkedContent)
"""Every service has these four: `DEAD_LETTERS.to("scorer")`."""
