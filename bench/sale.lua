-- One operation of a sale as a load for wrk, with one thread: `wrk -t1 ... -s bench/sale.lua URL -- OPERATION FOLDER [EXTRA]`.
-- What an operation answers (tokens, reservations) is kept in FOLDER for the next one, so that each request is a new
-- user and a new seat; users are named after FOLDER. An operation that runs out of users stops by itself and ends wrk; every
-- answer's status is counted. EXTRA: how many people `join`; the schedule of whose seats they `hold` one each.

local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long sec; long nsec; } moment;
  int clock_gettime(int, moment *);
  int getpid(void);
  int kill(int, int);
]]

-- wrk's own time goes on after the work is done, so the time that the work took is measured here.
local function seconds()
  local now = ffi.new("moment")
  ffi.C.clock_gettime(1, now)
  return tonumber(now.sec) + tonumber(now.nsec) / 1e9
end

local operation, folder, extra
local inputs, answers = {}, nil
local sent = 0
-- Global, so that `done` can ask each thread for them.
statuses, first, last = {}, nil, nil

local function lines(name)
  local all = {}
  for line in io.lines(folder .. "/" .. name) do all[#all + 1] = line end
  return all
end

local function headers(token)
  local h = { ["Content-Type"] = "application/json" }
  if token then h["Authorization"] = "Bearer " .. token end
  return h
end

local operations = {
  join = {
    writes = "tokens", pattern = '"token":"([^"]+)"',
    request = function(n)
      if n > tonumber(extra) then return nil end
      return wrk.format("POST", "/api/v1/queue/tokens", headers(), '{"user_id":"' .. folder:match("[^/]+$") .. "-" .. n .. '"}')
    end,
  },
  hold = {
    reads = "tokens", writes = "reservations", pattern = '"id":"([^"]+)"',
    request = function(n)
      local token = inputs[n]
      if not token then return nil end
      local body = '{"schedule_id":"' .. extra .. '","seat_numbers":[' .. n .. ']}'
      return wrk.format("POST", "/api/v1/reservations", headers(token), body)
    end,
  },
  charge = {
    reads = "tokens",
    request = function(n)
      local token = inputs[n]
      if not token then return nil end
      return wrk.format("POST", "/api/v1/wallet/charges", headers(token), '{"amount":1000}')
    end,
  },
  pay = {
    reads = "reservations",
    request = function(n)
      if not inputs[n] then return nil end
      local token, reservation = inputs[n]:match("^(%S+) (%S+)$")
      return wrk.format("POST", "/api/v1/payments", headers(token), '{"reservation_id":"' .. reservation .. '"}')
    end,
  },
}

local me
function init(args)
  operation, folder, extra = args[1], args[2], args[3]
  me = operations[operation]
  if me.reads then inputs = lines(me.reads) end
  if me.writes then answers = assert(io.open(folder .. "/" .. me.writes, "w")) end
end

local idle = nil
function request()
  first = first or seconds()
  sent = sent + 1
  local made = me.request(sent)
  if not made then
    wrk.thread:stop()
    -- wrk's main thread sleeps for the whole of -d unless SIGINT (2) wakes it.
    ffi.C.kill(ffi.C.getpid(), 2)
    idle = idle or wrk.format("GET", "/healthz")
    return idle
  end
  return made
end

function response(status, _, body)
  statuses[status] = (statuses[status] or 0) + 1
  last = seconds()
  if answers and (status == 200 or status == 201) then
    local found = body:match(me.pattern)
    if found then
      if operation == "hold" then
        -- The seat number is the line of the token that asked for it: answers come in any order.
        local number = body:match('"number":(%d+)')
        answers:write(inputs[tonumber(number)], " ", found, "\n")
      else
        answers:write(found, "\n")
      end
    end
  end
end

local threads = {}
function setup(thread) threads[#threads + 1] = thread end

function done(summary, latency)
  local e = summary.errors
  local counts, answered, took, failed = {}, 0, 1, e.connect + e.read + e.write + e.timeout
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("statuses")) do
      counts[#counts + 1] = status .. "=" .. count
      answered = answered + count
      if status < 200 or status > 299 then failed = failed + count end
    end
    took = thread:get("last") - thread:get("first")
  end
  -- Requests a second, median and 99th percentile of latency in microseconds, answers, failures among them; and the statuses.
  print(string.format("RESULT %.1f %.0f %.0f %d %d %s", answered / took,
    latency:percentile(50), latency:percentile(99), answered, failed, table.concat(counts, ",")))
end
