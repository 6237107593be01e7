-- One operation of the waiting line as a load for wrk, with one thread: `wrk -t1 ... -s bench/line.lua URL -- OPERATION EXTRA [TOKENS]`.
-- EXTRA: a file with a token a line for `leave`, with its position behind it for `check`; for `join` what its users' names begin with;
-- for `get` a path, which is got by whom the file TOKENS lists in turn, or by nobody.
--
-- What is timed (get, join) has nothing here look at its answers: wrk itself counts those that are no success. Its requests
-- are put together before the clock starts, but for joins. What is not timed (check, leave) does each token once and looks at each answer.

local extra, tokens
local requests, positions = {}, {}
local answered, wrong = 0, nil

local me = "/api/v1/queue/tokens/me"

local function as(token)
  return { Authorization = "Bearer " .. token }
end

-- Ends wrk, which would otherwise go on for the whole of -d.
local function finish()
  print(wrong and "WRONG " .. wrong or "RIGHT " .. answered)
  io.stdout:flush()
  os.exit(0)
end

local function took_place(status, body)
  local token, position = body:match('"token":"([^"]+)"'), tonumber(body:match('"position":(%d+)'))
  return status == 200 and body:find('"status":"WAITING"', 1, true) and position == positions[token]
end

local function each_once(is_right)
  -- wrk asks for one request before it starts, and sends that to nobody.
  local sent, idle = -1, wrk.format("GET", "/healthz")
  function request()
    sent = sent + 1
    return requests[sent] or idle
  end
  function response(status, _, body)
    if status == 200 and body == "ok" then return end
    answered = answered + 1
    if not is_right(status, body) then wrong = wrong or status .. " " .. body end
    if wrong or answered == #requests then finish() end
  end
end

local operations = {
  get = function()
    if tokens == "" then
      requests[1] = wrk.format("GET", extra)
    else
      for line in io.lines(tokens) do requests[#requests + 1] = wrk.format("GET", extra, as(line:match("%S+"))) end
    end
    local sent = 0
    function request()
      sent = sent % #requests + 1
      return requests[sent]
    end
  end,
  join = function()
    local sent, headers = 0, { ["Content-Type"] = "application/json" }
    function request()
      sent = sent + 1
      return wrk.format("POST", "/api/v1/queue/tokens", headers, '{"user_id":"' .. extra .. sent .. '"}')
    end
  end,
  check = function()
    for line in io.lines(extra) do
      local token, position = line:match("(%S+) (%d+)")
      positions[token] = tonumber(position)
      requests[#requests + 1] = wrk.format("GET", me, as(token))
    end
    each_once(took_place)
  end,
  leave = function()
    for token in io.lines(extra) do requests[#requests + 1] = wrk.format("DELETE", me, as(token)) end
    each_once(function(status) return status == 204 end)
  end,
}

function init(args)
  extra, tokens = args[2], args[3]
  operations[args[1]]()
end

function done(summary, latency)
  local e = summary.errors
  local failed = e.connect + e.read + e.write + e.status + e.timeout
  -- Requests a second, median and 99th percentile of latency in microseconds, answers, failures among them.
  print(string.format("RESULT %.1f %.0f %.0f %d %d", summary.requests / summary.duration * 1e6,
    latency:percentile(50), latency:percentile(99), summary.requests, failed))
end
