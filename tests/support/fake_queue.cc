#include "tests/support/fake_queue.h"

#include <algorithm>
#include <utility>

#include "batch/base/error.h"
#include "batch/queue/worker_lease.h"

namespace ferry::test {
namespace {

bool IsOpen(const FakeTables::RunRow& run) {
  return run.state == "planning" || run.state == "copying";
}

}  // namespace

std::int64_t FakeTables::NewWorker(std::chrono::milliseconds lease) {
  leases_[++last_id_].until = clock_.SteadyNow() + lease;
  return last_id_;
}

bool FakeTables::IsAlive(std::int64_t worker_id) const {
  const Lease& lease = leases_.at(worker_id);
  return !lease.released && lease.until > clock_.SteadyNow();
}

bool FakeTables::Renew(std::int64_t worker_id, std::chrono::milliseconds lease) {
  if (!IsAlive(worker_id)) return false;
  leases_.at(worker_id).until = clock_.SteadyNow() + lease;
  return true;
}

void FakeTables::Release(std::int64_t worker_id) { leases_.at(worker_id).released = true; }

std::int64_t FakeTables::AddRun(const std::string& task, const std::vector<Job>& jobs) {
  RunRow& run = runs_[++last_id_];
  run.open.run_id = last_id_;
  run.open.task_id = 1;
  run.open.task_name = task;
  run.state = "copying";
  for (const Job& job : jobs) {
    JobRow& row = run.jobs[job.job_id];
    row.job = job;
    row.job.run_id = last_id_;
  }
  return last_id_;
}

template <typename Body>
auto FakeQueue::Call(std::string_view name, bool writes, Body body) {
  if (tables_.interfere) tables_.interfere(name, /*after=*/false);
  if (writes && !tables_.IsAlive(worker_id_)) {
    throw Error(ErrorKind::kConflict, "this worker's lease is over", std::string(kTermOver));
  }
  if constexpr (std::is_void_v<std::invoke_result_t<Body&>>) {
    body();
    if (tables_.interfere) tables_.interfere(name, /*after=*/true);
  } else {
    auto result = body();
    if (tables_.interfere) tables_.interfere(name, /*after=*/true);
    return result;
  }
}

std::vector<OpenRun> FakeQueue::FindOpenRuns(const std::vector<std::string>& tasks) {
  return Call("find_open_runs", false, [&] {
    std::vector<OpenRun> open;
    for (const auto& [id, run] : tables_.runs_) {
      const bool asked = std::find(tasks.begin(), tasks.end(), run.open.task_name) != tasks.end();
      if (asked && IsOpen(run)) open.push_back(run.open);
    }
    return open;
  });
}

RunState FakeQueue::ReadRun(std::int64_t run_id) {
  return Call("read_run", false, [&] {
    RunState state;
    const RunRow& run = tables_.runs_.at(run_id);
    state.run_id = run_id;
    state.state = run.state;
    for (const auto& [id, row] : run.jobs) {
      state.totals.planned += 1;
      if (row.state == "done") state.totals.done += 1;
      if (row.state == "dead") state.totals.dead += 1;
      if (row.state == "in_flight") state.totals.in_flight += 1;
      if (row.state == "retry_wait") state.totals.retry_wait += 1;
      if (row.state == "pending") state.totals.pending += 1;
    }
    return state;
  });
}

std::vector<Job> FakeQueue::Claim(std::int64_t run_id, std::int64_t limit,
                                  const std::function<bool(const JobRow&)>& matches) {
  std::vector<Job> claimed;
  RunRow& run = tables_.runs_.at(run_id);
  if (!IsOpen(run)) return claimed;
  for (auto& [id, row] : run.jobs) {
    if (static_cast<std::int64_t>(claimed.size()) == limit) break;
    if (!matches(row)) continue;
    row.state = "in_flight";
    row.worker_id = worker_id_;
    run.workers.insert(worker_id_);
    row.job.parts_left = row.parts_left.value_or(0);
    claimed.push_back(row.job);
  }
  return claimed;
}

std::vector<Job> FakeQueue::ClaimJobs(std::int64_t run_id, std::int64_t& cursor,
                                      std::int64_t limit) {
  std::vector<Job> claimed = Call("claim_jobs", true, [&] {
    return Claim(run_id, limit, [&](const JobRow& row) {
      return row.state == "pending" && row.job.job_id > cursor;
    });
  });
  for (const Job& job : claimed) cursor = std::max(cursor, job.job_id);
  return claimed;
}

std::int64_t FakeQueue::LastJobId(std::int64_t run_id) {
  return Call("last_job_id", false, [&]() -> std::int64_t {
    const RunRow& run = tables_.runs_.at(run_id);
    return run.jobs.empty() ? 0 : run.jobs.rbegin()->first;
  });
}

std::vector<Job> FakeQueue::ClaimRetries(std::int64_t run_id, std::int64_t limit) {
  return Call("claim_retries", true, [&] {
    return Claim(run_id, limit, [&](const JobRow& row) {
      return row.state == "retry_wait" && row.retry_at <= tables_.clock_.SteadyNow();
    });
  });
}

std::vector<Job> FakeQueue::ClaimCompletions(std::int64_t run_id, std::int64_t limit) {
  return Call("claim_completions", true, [&] {
    return Claim(run_id, limit, [&](const JobRow& row) {
      return row.state == "in_flight" && row.parts_left == 0 && row.worker_id == 0;
    });
  });
}

std::vector<PartJob> FakeQueue::ClaimParts(std::int64_t run_id, std::int64_t limit) {
  return Call("claim_parts", true, [&] {
    std::vector<PartJob> claimed;
    RunRow& run = tables_.runs_.at(run_id);
    if (!IsOpen(run)) return claimed;
    for (auto& [id, part] : run.parts) {
      if (static_cast<std::int64_t>(claimed.size()) == limit) break;
      const JobRow& row = run.jobs.at(id.first);
      if (part.state != "pending" || row.state != "in_flight" || row.worker_id != 0) continue;
      part.state = "in_flight";
      part.worker_id = worker_id_;
      PartJob one;
      one.run_id = run_id;
      one.job_id = id.first;
      one.key = row.job.key;
      one.source = row.job.source;
      one.attempts = row.job.attempts;
      one.upload_id = row.job.upload_id;
      one.part = part.part;
      claimed.push_back(std::move(one));
    }
    return claimed;
  });
}

void FakeQueue::RecordParts(RunRow& run, const Outcomes& outcomes) {
  for (const FinishedPart& part : outcomes.parts) {
    const auto found = run.parts.find({part.job_id, part.number});
    if (found == run.parts.end() || found->second.state != "in_flight" ||
        found->second.worker_id != worker_id_ ||
        run.jobs.at(part.job_id).job.upload_id != part.upload_id) {
      continue;
    }
    found->second = {found->second.part, "done", 0, part.etag, part.md5, part.checksum};
    std::optional<int>& left = run.jobs.at(part.job_id).parts_left;
    if (left) *left -= 1;
  }
  for (const auto& id : outcomes.lost_parts) {
    JobRow& row = run.jobs.at(id.first);
    const auto found = run.parts.find(id);
    if (!IsOurs(row) || !row.parts_left || found == run.parts.end() ||
        found->second.state != "done") {
      continue;
    }
    found->second = {found->second.part, "pending", 0, "", ""};
    *row.parts_left += 1;
  }
}

FakeQueue::PartsReturned FakeQueue::ReturnParts(RunRow& run,
                                                const std::vector<ReturnedPart>& parts) {
  PartsReturned returned;
  for (const ReturnedPart& part : parts) {
    const auto found = run.parts.find({part.job_id, part.number});
    if (found == run.parts.end() || found->second.state != "in_flight" ||
        found->second.worker_id != worker_id_ ||
        run.jobs.at(part.job_id).job.upload_id != part.upload_id) {
      continue;
    }
    found->second.state = "pending";
    found->second.worker_id = 0;
    returned.emplace(part.job_id, part.upload_id);
  }
  return returned;
}

void FakeQueue::RecordFailures(RunRow& run, const Outcomes& outcomes, const PartsReturned& returned,
                               Recorded& recorded) {
  for (const FailedJob& failed : outcomes.failed) {
    JobRow& row = run.jobs.at(failed.job_id);
    if (!failed.upload_id.empty() && !returned.contains({failed.job_id, failed.upload_id})) {
      continue;
    }
    const bool speaks = failed.upload_id.empty() ? IsOurs(row)
                                                 : row.state == "in_flight" && row.worker_id == 0 &&
                                                       row.job.upload_id == failed.upload_id;
    if (!speaks) continue;
    row.job.attempts += failed.costs_attempt ? 1 : 0;
    row.worker_id = 0;
    row.error = failed.error;
    if (failed.futile || row.job.attempts >= attempts_max_) {
      row.state = "dead";
      recorded.dead.push_back({failed.job_id, failed.error});
    } else {
      row.state = "retry_wait";
      row.retry_at = tables_.clock_.SteadyNow() + failed.pause;
      recorded.retried.push_back(failed.job_id);
    }
  }
}

Recorded FakeQueue::Record(std::int64_t run_id, std::int64_t, const Outcomes& outcomes) {
  return Call("record", true, [&] {
    Recorded recorded;
    RunRow& run = tables_.runs_.at(run_id);
    RecordParts(run, outcomes);
    const PartsReturned returned = ReturnParts(run, outcomes.returned_parts);
    for (const DoneJob& done : outcomes.done) {
      JobRow& row = run.jobs.at(done.job_id);
      if (!IsOurs(row)) continue;
      row.state = "done";
      row.worker_id = 0;
      row.job.source = done.source;
      const std::string completed = std::exchange(row.job.upload_id, {});
      row.parts_left.reset();
      AbandonUploads(run_id, row.job.key, completed);
      std::erase_if(tables_.uploads_, [&](const auto& upload) {
        return !completed.empty() && upload.second.known.upload_id == completed;
      });
    }
    RecordFailures(run, outcomes, returned, recorded);
    for (const JobVerdict& verdict : outcomes.verdicts) {
      JobRow& row = run.jobs.at(verdict.job_id);
      if (!IsOurs(row)) continue;
      row.state = verdict.state;
      row.worker_id = 0;
      row.job.upload_id.clear();
      row.parts_left.reset();
      DeleteParts(run, verdict.job_id);
      AbandonUploads(run_id, row.job.key, "");
    }
    for (const std::string& nonce : outcomes.settled_intents) tables_.uploads_.erase(nonce);
    recorded.run_closed = Close(run);
    return recorded;
  });
}

std::vector<KnownUpload> FakeQueue::FindUploads(std::int64_t, const std::vector<Key>& keys) {
  return Call("find_uploads", false, [&] {
    std::vector<KnownUpload> found;
    for (const auto& [nonce, upload] : tables_.uploads_) {
      const bool asked = std::find(keys.begin(), keys.end(), upload.known.key) != keys.end();
      if (asked) found.push_back(upload.known);
    }
    return found;
  });
}

std::vector<StoredPart> FakeQueue::ReadDoneParts(std::int64_t run_id, std::int64_t job_id) {
  return Call("read_done_parts", false, [&] {
    std::vector<StoredPart> parts;
    for (const auto& [id, part] : tables_.runs_.at(run_id).parts) {
      if (id.first != job_id || part.state != "done") continue;
      parts.push_back({id.second, part.etag, part.md5, part.part.size_bytes, part.checksum});
    }
    return parts;
  });
}

void FakeQueue::AbandonUploads(std::int64_t run_id, const Key& key, const std::string& but_not) {
  for (auto& [nonce, upload] : tables_.uploads_) {
    KnownUpload& known = upload.known;
    const bool kept = !but_not.empty() && known.upload_id == but_not;
    if (known.key == key && known.run_id <= run_id && !kept) known.abandoned = true;
  }
}

void FakeQueue::IntendUpload(std::int64_t task_id, const Job& job, std::uint64_t part_bytes,
                             const std::string& nonce) {
  Call("intend_upload", true, [&] {
    FakeTables::UploadRow row;
    row.task_id = task_id;
    row.known = {job.run_id, job.job_id, job.key, "", part_bytes, job.source, nonce};
    tables_.uploads_.try_emplace(nonce, row);
  });
}

bool FakeQueue::Split(std::int64_t task_id, const Job& job, const std::string& upload_id,
                      std::uint64_t part_bytes, const SourceIdentity& source,
                      const std::vector<FinishedPart>& done_parts,
                      const std::vector<std::int64_t>& lost_parts, const std::string& nonce) {
  return Call("split", true, [&] {
    RunRow& run = tables_.runs_.at(job.run_id);
    JobRow& row = run.jobs.at(job.job_id);
    if (!IsOurs(row) || !IsOpen(run)) {
      KnownUpload& stray = tables_.uploads_[nonce].known;
      if (stray.nonce.empty()) {
        tables_.uploads_[nonce].task_id = task_id;
        stray = {job.run_id, job.job_id, job.key, "", part_bytes, source, nonce};
      }
      if (stray.upload_id.empty()) {
        stray.upload_id = upload_id;
        stray.abandoned = true;
      }
      return false;
    }
    if (job.upload_id != upload_id) DeleteParts(run, job.job_id);
    for (const Part& part : PlanParts(source.size_bytes, part_bytes)) {
      FakeTables::PartRow fresh;
      fresh.part = part;
      for (const FinishedPart& done : done_parts) {
        if (done.number == part.number)
          fresh = {part, "done", 0, done.etag, done.md5, done.checksum};
      }
      const auto [place, is_new] = run.parts.try_emplace({job.job_id, part.number}, fresh);
      const bool lost =
          std::find(lost_parts.begin(), lost_parts.end(), part.number) != lost_parts.end();
      if (!is_new && lost && place->second.state == "done") place->second = fresh;
    }
    row.worker_id = 0;
    row.job.upload_id = upload_id;
    row.job.part_bytes = part_bytes;
    row.job.source = source;
    row.parts_left =
        static_cast<int>(std::count_if(run.parts.begin(), run.parts.end(), [&](const auto& part) {
          return part.first.first == job.job_id && part.second.state != "done";
        }));
    for (auto& [other, upload] : tables_.uploads_) {
      const KnownUpload& known = upload.known;
      const bool replaced =
          known.key == job.key && !known.upload_id.empty() && known.upload_id != upload_id;
      if (replaced) upload.known.abandoned = true;
    }
    FakeTables::UploadRow& upload = tables_.uploads_[nonce];
    upload.task_id = task_id;
    upload.known = {job.run_id, job.job_id, job.key, upload_id, part_bytes, source, nonce};
    return true;
  });
}

void FakeQueue::DropUpload(std::int64_t, const Job& job) {
  Call("drop_upload", true, [&] {
    RunRow& run = tables_.runs_.at(job.run_id);
    JobRow& row = run.jobs.at(job.job_id);
    if (!IsOurs(row) || !IsOpen(run)) return;
    row.job.upload_id.clear();
    row.parts_left.reset();
    DeleteParts(run, job.job_id);
    for (auto& [nonce, upload] : tables_.uploads_) {
      if (upload.known.upload_id == job.upload_id) upload.known.abandoned = true;
    }
  });
}

void FakeQueue::DeleteParts(RunRow& run, std::int64_t job_id) {
  std::erase_if(run.parts, [&](const auto& part) { return part.first.first == job_id; });
}

std::int64_t FakeQueue::Requeue(RunRow& run, const std::function<bool(std::int64_t)>& of_worker) {
  std::int64_t count = 0;
  for (auto& [id, row] : run.jobs) {
    if (row.state != "in_flight" || row.worker_id == 0 || !of_worker(row.worker_id)) continue;
    row.state = "retry_wait";
    row.retry_at = tables_.clock_.SteadyNow();
    row.worker_id = 0;
    count += 1;
  }
  for (auto& [id, part] : run.parts) {
    if (part.state != "in_flight" || !of_worker(part.worker_id)) continue;
    part.state = "pending";
    part.worker_id = 0;
    count += 1;
  }
  return count;
}

std::int64_t FakeQueue::RequeueLost(std::int64_t run_id) {
  return Call("requeue_lost", true, [&] {
    return Requeue(tables_.runs_.at(run_id),
                   [&](std::int64_t worker) { return !tables_.IsAlive(worker); });
  });
}

void FakeQueue::ReleaseAll(std::int64_t run_id) {
  Call("release_all", true, [&] {
    Requeue(tables_.runs_.at(run_id), [&](std::int64_t worker) { return worker == worker_id_; });
  });
}

bool FakeQueue::Close(RunRow& run) {
  if (!IsOpen(run)) return true;
  bool dead = false;
  for (const auto& [id, row] : run.jobs) {
    if (row.state == "pending" || row.state == "in_flight" || row.state == "retry_wait") {
      return false;
    }
    dead = dead || row.state == "dead";
  }
  run.state = dead ? "incomplete" : "complete";
  run.closings += 1;
  return true;
}

void FakeQueue::SayWaiting(std::int64_t run_id) {
  Call("say_waiting", true, [&] {
    RunRow& run = tables_.runs_.at(run_id);
    if (IsOpen(run)) run.waits_said += 1;
  });
}

bool FakeQueue::CloseIfFinal(std::int64_t run_id) {
  return Call("close_if_final", true, [&] { return Close(tables_.runs_.at(run_id)); });
}

bool FakeQueue::FailRun(std::int64_t run_id, const std::string& error) {
  return Call("fail_run", true, [&] {
    RunRow& run = tables_.runs_.at(run_id);
    if (!IsOpen(run)) return true;
    const bool others = std::any_of(run.workers.begin(), run.workers.end(), [&](std::int64_t id) {
      return id != worker_id_ && tables_.IsAlive(id);
    });
    if (others) return false;
    run.state = "failed";
    run.error = error;
    run.closings += 1;
    return true;
  });
}

}  // namespace ferry::test
