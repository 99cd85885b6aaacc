-- wrk script. Arguments: the API key, and how many responses a POST carries (1: an object, more: {"responses": [...]}).
-- Every response has an id of its own, so that none is a repeat.
local counter, thread_id, per_post, key = 0, 0, 1, ""
local threads = 0

function setup(thread)
  thread:set("thread_id", threads)
  threads = threads + 1
end

function init(args)
  key, per_post = args[1], tonumber(args[2])
  seed = os.time() * 1000 + thread_id
  headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. key }
  path = per_post == 1 and "/v1/responses" or "/v1/responses/batch"
end

local function one()
  counter = counter + 1
  local account = (counter * 7919) % 10000
  return string.format(
    '{"response_id":"b-%d-%d","account_id":"account-%05d","stakeholder_id":"person-%d-%d","survey_type":"nps",' ..
    '"score":%d,"channel":"email","survey_id":"relationship","comment":"Onboarding was quick and the weekly calls ' ..
    'keep us on track with the rollout."}', seed, counter, account, account, counter % 10, counter % 11)
end

function request()
  if per_post == 1 then return wrk.format("POST", path, headers, one()) end
  local items = {}
  for index = 1, per_post do items[index] = one() end
  return wrk.format("POST", path, headers, '{"responses":[' .. table.concat(items, ",") .. "]}")
end

function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d %.3f %.3f\n", summary.requests, summary.duration, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
