"""What the services are told to do, each call with the type of its answer: `api.call(ANSWER_MATURITY, body)`.

tests/contract holds that each is a route of its service, and that its answer is the model that the route answers with.
"""

from types import NoneType

from shared.api.asks import AskDetail, LinksMade, SuppressionsAdded
from shared.api.business_reviews import BusinessReview, ReviewPreview
from shared.api.directory import AccountView, StakeholderView
from shared.api.doubles import Merged
from shared.api.erasures import AcceptedErasure
from shared.api.follow_ups import BulkAnswer, FollowUpDetail
from shared.api.imports import DraftView, ImportView, Undone
from shared.api.keys import NewKey
from shared.api.loop_backs import LoopBack
from shared.api.mail_tests import MailTestSent
from shared.api.maturity import Result
from shared.api.names import Names
from shared.api.notifications import NotificationItem
from shared.api.parked import Replayed
from shared.api.programmes import DryRun, Programme
from shared.api.response_targets import ResponseTargets
from shared.api.rules import DryRunResult, RuleView
from shared.api.surveys import Survey, SurveyLogo, SurveyVersionDetail
from shared.api.waves import PersonAdded
from shared.api.webhooks import DeliveryDetail, DeliveryItem, EndpointDetail, EndpointWithSecret, RecoveryStarted
from shared.http.client import Call

FILE_SECONDS = 180.0
"""A file is read to its end before there is an answer about it."""
NAMES = Call("scorer", "POST", "/v1/names", Names)
"""A question, posted because it is too long for an address."""
OPEN_FOLLOW_UP = Call("alerting", "POST", "/v1/follow-ups", FollowUpDetail)
CLOSE_FOLLOW_UPS = Call("alerting", "POST", "/v1/follow-ups/close", BulkAnswer)
ACKNOWLEDGE = Call("alerting", "POST", "/v1/follow-ups/{follow_up_id}/acknowledge", FollowUpDetail)
START = Call("alerting", "POST", "/v1/follow-ups/{follow_up_id}/start", FollowUpDetail)
SNOOZE = Call("alerting", "POST", "/v1/follow-ups/{follow_up_id}/snooze", FollowUpDetail)
ASSIGN = Call("alerting", "POST", "/v1/follow-ups/{follow_up_id}/assign", FollowUpDetail)
PROMISE = Call("alerting", "POST", "/v1/follow-ups/{follow_up_id}/promise", FollowUpDetail)
CLOSE = Call("alerting", "POST", "/v1/follow-ups/{follow_up_id}/close", FollowUpDetail)
REOPEN = Call("alerting", "POST", "/v1/follow-ups/{follow_up_id}/reopen", FollowUpDetail)
COMMENT = Call("alerting", "POST", "/v1/follow-ups/{follow_up_id}/comments", FollowUpDetail)
CHANGE_RULE = Call("alerting", "PATCH", "/v1/rules/{rule}", RuleView)
TRY_RULE = Call("alerting", "POST", "/v1/rules/{rule}/dry-run", DryRunResult)
ADD_NOTIFICATION = Call("alerting", "POST", "/v1/notifications", NotificationItem)
REMOVE_NOTIFICATION = Call("alerting", "DELETE", "/v1/notifications/{notification_id}", NoneType)
ADD_ENDPOINT = Call("alerting", "POST", "/v1/webhook-endpoints", EndpointWithSecret)
CHANGE_ENDPOINT = Call("alerting", "PATCH", "/v1/webhook-endpoints/{endpoint_id}", EndpointDetail)
DELETE_ENDPOINT = Call("alerting", "DELETE", "/v1/webhook-endpoints/{endpoint_id}", NoneType)
ROTATE_SECRET = Call("alerting", "POST", "/v1/webhook-endpoints/{endpoint_id}/secret/rotate", EndpointWithSecret)
TEST_ENDPOINT = Call("alerting", "POST", "/v1/webhook-endpoints/{endpoint_id}/test", DeliveryItem)
RECOVER = Call("alerting", "POST", "/v1/webhook-endpoints/{endpoint_id}/recover", RecoveryStarted)
RESEND = Call("alerting", "POST", "/v1/deliveries/{delivery_id}/resend", DeliveryDetail)
ANSWER_MATURITY = Call("benchmark", "POST", "/v1/maturity", Result)
PREVIEW_REVIEW = Call("outreach", "POST", "/v1/business-reviews/preview", ReviewPreview)
MAKE_REVIEW = Call("outreach", "POST", "/v1/business-reviews", BusinessReview)
WITHDRAW_REVIEW = Call("outreach", "POST", "/v1/business-reviews/{review_id}/withdraw", BusinessReview)
MAKE_LINKS = Call("outreach", "POST", "/v1/surveys/{survey_id}/links", LinksMade)
SEND_TEST = Call("outreach", "POST", "/v1/surveys/{survey_id}/test-sends", MailTestSent)
RESEND_ASK = Call("outreach", "POST", "/v1/asks/{ask_id}/resend", AskDetail)
WITHDRAW_ASK = Call("outreach", "POST", "/v1/asks/{ask_id}/withdraw", AskDetail)
WRITE_PROGRAMME = Call("outreach", "POST", "/v1/programmes", Programme)
CHANGE_PROGRAMME = Call("outreach", "PATCH", "/v1/programmes/{programme_id}", Programme)
DUPLICATE_PROGRAMME = Call("outreach", "POST", "/v1/programmes/{programme_id}/duplicate", Programme)
DELETE_PROGRAMME = Call("outreach", "DELETE", "/v1/programmes/{programme_id}", NoneType)
LOOK_AT_PROGRAMME = Call("outreach", "POST", "/v1/programmes/{programme_id}/dry-run", DryRun, FILE_SECONDS)
START_PROGRAMME = Call("outreach", "POST", "/v1/programmes/{programme_id}/start", Programme)
PAUSE_PROGRAMME = Call("outreach", "POST", "/v1/programmes/{programme_id}/pause", Programme)
END_PROGRAMME = Call("outreach", "POST", "/v1/programmes/{programme_id}/end", Programme)
EXCLUDE_ASK = Call("outreach", "POST", "/v1/asks/{ask_id}/exclude", AskDetail)
INCLUDE_ASK = Call("outreach", "POST", "/v1/asks/{ask_id}/include", AskDetail)
CORRECT_ASK = Call("outreach", "POST", "/v1/asks/{ask_id}/correct", AskDetail)
ADD_TO_WAVE = Call("outreach", "POST", "/v1/programmes/{programme_id}/waves/{day}/people", PersonAdded)
TELL_CHANGES = Call("outreach", "POST", "/v1/loop-backs", LoopBack)
WITHDRAW_LOOP_BACK = Call("outreach", "POST", "/v1/loop-backs/{loop_back_id}/withdraw", LoopBack)
SET_RESPONSE_TARGET = Call("outreach", "PUT", "/v1/response-targets", ResponseTargets)
SUPPRESS = Call("outreach", "POST", "/v1/suppressions", SuppressionsAdded)
LIFT_SUPPRESSION = Call("outreach", "DELETE", "/v1/suppressions/{suppression_id}", NoneType)
BEGIN_SURVEY = Call("outreach", "POST", "/v1/surveys", Survey)
CHANGE_SURVEY = Call("outreach", "PATCH", "/v1/surveys/{survey_id}", Survey)
DELETE_SURVEY = Call("outreach", "DELETE", "/v1/surveys/{survey_id}", NoneType)
DUPLICATE_SURVEY = Call("outreach", "POST", "/v1/surveys/{survey_id}/duplicate", Survey)
ARCHIVE_SURVEY = Call("outreach", "POST", "/v1/surveys/{survey_id}/archive", Survey)
RESTORE_SURVEY = Call("outreach", "POST", "/v1/surveys/{survey_id}/restore", Survey)
UPLOAD_LOGO = Call("outreach", "POST", "/v1/survey-logos", SurveyLogo)
PUBLISH_SURVEY = Call("outreach", "POST", "/v1/surveys/{survey_id}/publish", SurveyVersionDetail)
MERGE = Call("collector", "POST", "/v1/accounts/{account_id}/stakeholders/{stakeholder_id}/merge", Merged)
PART = Call("collector", "DELETE", "/v1/accounts/{account_id}/stakeholders/{stakeholder_id}/merge", NoneType)
PUT_ACCOUNT = Call("collector", "PUT", "/v1/accounts/{account_id}", AccountView)
CHANGE_ACCOUNT = Call("collector", "PATCH", "/v1/accounts/{account_id}", AccountView)
REMOVE_ACCOUNT = Call("collector", "DELETE", "/v1/accounts/{account_id}", NoneType)
ERASE_ACCOUNT = Call("collector", "DELETE", "/v1/accounts/{account_id}/data", AcceptedErasure)
PUT_PERSON = Call("collector", "PUT", "/v1/accounts/{account_id}/stakeholders/{stakeholder_id}", StakeholderView)
CHANGE_PERSON = Call("collector", "PATCH", "/v1/accounts/{account_id}/stakeholders/{stakeholder_id}", StakeholderView)
REMOVE_PERSON = Call("collector", "DELETE", "/v1/accounts/{account_id}/stakeholders/{stakeholder_id}", NoneType)
LOOK_AT_DRAFT = Call("collector", "POST", "/v1/import-drafts/{draft_id}/look", DraftView, FILE_SECONDS)
START_DRAFT = Call("collector", "POST", "/v1/import-drafts/{draft_id}/start", ImportView, FILE_SECONDS)
DELETE_DRAFT = Call("collector", "DELETE", "/v1/import-drafts/{draft_id}", NoneType)
UNDO_IMPORT = Call("collector", "POST", "/v1/imports/{import_id}/undo", Undone)
MAKE_KEY = Call("collector", "POST", "/v1/keys", NewKey)
REVOKE_KEY = Call("collector", "DELETE", "/v1/keys/{key_id}", NoneType)
REPLAY_DEAD_LETTER = Call("collector", "POST", "/v1/dead-letters/{parked_id}/replay", Replayed)
DROP_DEAD_LETTER = Call("collector", "DELETE", "/v1/dead-letters/{parked_id}", NoneType)
"""Every service has these two: `DROP_DEAD_LETTER.to("scorer")`."""
