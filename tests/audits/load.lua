-- Posts one query, signed in, and looks at every answer. wrk runs this once in each thread; load.py says what it has to do.

right, told, wrong, example = 0, 0, 0, ""
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init()
  wrk.method = "POST"
  wrk.body = os.getenv("KONTOR_LOAD_BODY")
  wrk.headers["content-type"] = "application/json"
  wrk.headers["authorization"] = "Bearer " .. os.getenv("KONTOR_LOAD_TOKEN")
end

function response(status, headers, body)
  local whole = body:find('"data":{', 1, true) and not body:find('"errors":', 1, true)
  local coded = body:find('"code":', 1, true) and headers["retry-after"]
  if status == 200 and whole then
    right = right + 1
  elseif (status == 429 or status == 503) and coded then
    told = told + 1
  else
    wrong = wrong + 1
    example = status .. " " .. body:sub(1, 200)
  end
end

function done(summary, latency)
  local all = { right = 0, told = 0, wrong = 0 }
  for _, thread in ipairs(threads) do
    for name in pairs(all) do
      all[name] = all[name] + thread:get(name)
    end
    if thread:get("example") ~= "" then
      io.write("wrong: " .. thread:get("example") .. "\n")
    end
  end
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    'load: {"right": %d, "told": %d, "wrong": %d, "failed": %d, "seconds": %.3f, "p50": %.3f, "p90": %.3f, "p99": %.3f, "most": %.3f}\n',
    all.right, all.told, all.wrong, failed, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
