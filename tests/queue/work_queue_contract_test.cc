// What a worker may expect of a WorkQueue: of the one on PostgreSQL, and of the one in memory that
// the simulation runs on.
#include <gtest/gtest.h>

#include <memory>

#include "tests/queue/queue_world.h"

namespace ferry {
namespace {

class WorkQueueContract : public testing::TestWithParam<const char*> {
 protected:
  WorkQueueContract() {
    if (std::string(GetParam()) == "in_memory") {
      world_ = std::make_unique<FakeWorld>();
    } else {
      world_ = std::make_unique<RealWorld>();
    }
    ours_ = world_->NewWorker();
    theirs_ = world_->NewWorker();
    queue_ = world_->Queue(ours_);
    others_ = world_->Queue(theirs_);
  }

  std::vector<Job> ClaimAll(WorkQueue& queue, std::int64_t limit = 100) {
    std::int64_t cursor = 0;
    return queue.ClaimJobs(run_, cursor, limit);
  }
  static DoneJob Done(const Job& job) {
    DoneJob done;
    done.job_id = job.job_id;
    done.source = job.source;
    done.destination_etag = "d";
    done.proof = "etag_md5";
    done.size_bytes = job.source.size_bytes;
    return done;
  }
  static FailedJob Failed(std::int64_t job_id) {
    FailedJob failed;
    failed.job_id = job_id;
    failed.error = "broken";
    return failed;
  }
  Recorded Record(WorkQueue& queue, const Outcomes& outcomes) {
    return queue.Record(run_, world_->task_id(), outcomes);
  }
  // Job 1, claimed by us, in three parts of 10, 10 and 5 bytes.
  Job SplitOne() {
    run_ = world_->AddRun(1);
    Job job = ClaimAll(*queue_).at(0);
    queue_->IntendUpload(world_->task_id(), job, 10, "n1");
    EXPECT_TRUE(queue_->Split(world_->task_id(), job, "u1", 10, job.source, {}, {}, "n1"));
    job.upload_id = "u1";
    return job;
  }
  static FinishedPart Finished(const PartJob& part) {
    return {part.job_id, part.part.number, "e" + std::to_string(part.part.number),
            std::string(16, 'm'), part.upload_id};
  }
  Job FinishParts() {
    Outcomes outcomes;
    for (const PartJob& part : others_->ClaimParts(run_, 10)) {
      outcomes.parts.push_back(Finished(part));
    }
    Record(*others_, outcomes);
    return queue_->ClaimCompletions(run_, 10).at(0);
  }

  std::unique_ptr<QueueWorld> world_;
  std::int64_t ours_ = 0;
  std::int64_t theirs_ = 0;
  std::unique_ptr<WorkQueue> queue_;
  std::unique_ptr<WorkQueue> others_;
  std::int64_t run_ = 0;
};

TEST_P(WorkQueueContract, ClaimsAreDisjointAndAboveTheCursor) {
  run_ = world_->AddRun(5);
  std::int64_t cursor = 0;
  EXPECT_EQ(queue_->ClaimJobs(run_, cursor, 2).size(), 2U);
  EXPECT_EQ(cursor, 2);
  EXPECT_EQ(ClaimAll(*others_).size(), 3U);
  EXPECT_TRUE(queue_->ClaimJobs(run_, cursor, 2).empty());
  EXPECT_EQ(world_->StateOf(run_, 1), "in_flight");
}

TEST_P(WorkQueueContract, TheLastOutcomeClosesTheRunAndIsRecordedOnce) {
  run_ = world_->AddRun(2);
  EXPECT_FALSE(queue_->CloseIfFinal(run_)) << "work is left";
  Outcomes outcomes;
  for (const Job& job : ClaimAll(*queue_)) outcomes.done.push_back(Done(job));
  EXPECT_TRUE(Record(*queue_, outcomes).run_closed);
  EXPECT_TRUE(Record(*queue_, outcomes).run_closed);
  EXPECT_EQ(world_->RunStateOf(run_), "complete");
  EXPECT_EQ(queue_->ReadRun(run_).totals.done, 2);
  EXPECT_TRUE(queue_->FindOpenRuns({"media"}).empty());
}

TEST_P(WorkQueueContract, WhatIsNotOnesOwnStaysAsItIs) {
  run_ = world_->AddRun(1);
  const Job job = ClaimAll(*queue_).at(0);
  Outcomes outcomes;
  outcomes.done.push_back(Done(job));
  EXPECT_FALSE(Record(*others_, outcomes).run_closed);
  outcomes = {};
  outcomes.failed.push_back(Failed(1));
  outcomes.verdicts.push_back({1, "vanished", "gone"});
  Record(*others_, outcomes);
  EXPECT_EQ(world_->StateOf(run_, 1), "in_flight");
  EXPECT_FALSE(others_->Split(world_->task_id(), job, "u9", 10, job.source, {}, {}, "n9"));
}

TEST_P(WorkQueueContract, AWorkerWhoseTermIsOverIsToldSoAndWritesNothing) {
  run_ = world_->AddRun(2);
  std::int64_t cursor = 0;
  const Job job = queue_->ClaimJobs(run_, cursor, 1).at(0);
  world_->EndLease(ours_);
  Outcomes outcomes;
  outcomes.done.push_back(Done(job));
  const auto code = [](auto body) {
    const std::optional<Error> error = test::ErrorOf(body);
    return error ? error->code() : "";
  };
  EXPECT_EQ(code([&] { Record(*queue_, outcomes); }), kTermOver);
  EXPECT_EQ(code([&] { queue_->ClaimJobs(run_, cursor, 1); }), kTermOver);
  EXPECT_EQ(code([&] { queue_->Split(world_->task_id(), job, "u", 10, job.source, {}, {}, "n"); }),
            kTermOver);
  EXPECT_EQ(code([&] { queue_->ReleaseAll(run_); }), kTermOver);
  EXPECT_EQ(world_->StateOf(run_, 1), "in_flight");
  EXPECT_EQ(world_->StateOf(run_, 2), "pending");
}

TEST_P(WorkQueueContract, FailuresOfTheObjectCostAttemptsUntilItIsDead) {
  run_ = world_->AddRun(2);
  ClaimAll(*queue_);
  Outcomes futile;
  futile.failed.push_back(Failed(2));
  futile.failed.back().futile = true;
  EXPECT_EQ(Record(*queue_, futile).dead.at(0).job_id, 2);
  for (int attempt = 1; attempt <= kAttemptsMax; ++attempt) {
    Outcomes free, paid;
    free.failed.push_back(Failed(1));
    free.failed.back().costs_attempt = false;
    EXPECT_EQ(Record(*queue_, free).retried, std::vector<std::int64_t>{1});
    ASSERT_EQ(world_->StateOf(run_, 1), "retry_wait");
    ASSERT_EQ(queue_->ClaimRetries(run_, 10).at(0).attempts, attempt - 1);
    paid.failed.push_back(Failed(1));
    const Recorded recorded = Record(*queue_, paid);
    ASSERT_EQ(recorded.dead.size(), attempt == kAttemptsMax ? 1U : 0U);
    ASSERT_EQ(recorded.retried.size(), attempt == kAttemptsMax ? 0U : 1U);
    if (attempt < kAttemptsMax) {
      ASSERT_EQ(queue_->ClaimRetries(run_, 10).size(), 1U);
    }
  }
  EXPECT_EQ(world_->RunStateOf(run_), "incomplete");
}

TEST_P(WorkQueueContract, AJobThatPausesIsNotClaimedBeforeItsTime) {
  run_ = world_->AddRun(1);
  ClaimAll(*queue_);
  Outcomes outcomes;
  outcomes.failed.push_back(Failed(1));
  outcomes.failed.back().pause = std::chrono::minutes(5);
  Record(*queue_, outcomes);
  EXPECT_TRUE(queue_->ClaimRetries(run_, 10).empty());
}

TEST_P(WorkQueueContract, PartsAreAnybodysAndTheirLastMakesTheObjectReadyToComplete) {
  const Job job = SplitOne();
  std::vector<PartJob> mine = queue_->ClaimParts(run_, 2), other = others_->ClaimParts(run_, 2);
  ASSERT_EQ(mine.size(), 2U);
  ASSERT_EQ(other.size(), 1U);
  EXPECT_EQ(other.at(0).part.first_byte, 20U);
  EXPECT_EQ(other.at(0).part.size_bytes, 5U);
  EXPECT_EQ(other.at(0).upload_id, "u1");
  Outcomes outcomes, last;
  for (const PartJob& part : mine) outcomes.parts.push_back(Finished(part));
  Record(*queue_, outcomes);
  EXPECT_TRUE(queue_->ClaimCompletions(run_, 10).empty());
  last.parts.push_back(Finished(other.at(0)));
  Record(*others_, last);
  Record(*others_, last);  // twice is once
  const std::vector<Job> ready = queue_->ClaimCompletions(run_, 10);
  ASSERT_EQ(ready.size(), 1U);
  EXPECT_EQ(ready.at(0).upload_id, "u1");
  EXPECT_EQ(ready.at(0).parts_left, 0);
  EXPECT_TRUE(others_->ClaimCompletions(run_, 10).empty());
  EXPECT_EQ(queue_->ReadDoneParts(run_, job.job_id).size(), 3U);
  Outcomes done;
  done.done.push_back(Done(ready.at(0)));
  EXPECT_TRUE(Record(*queue_, done).run_closed);
  EXPECT_TRUE(queue_->FindUploads(world_->task_id(), {job.key}).empty());
}

TEST_P(WorkQueueContract, APartThatWasSentToAnEarlierUploadIsNoneOfTheOneThatIsOpenNow) {
  SplitOne();
  const std::vector<PartJob> parts = queue_->ClaimParts(run_, 1);
  Outcomes late;
  late.parts.push_back(Finished(parts.at(0)));
  late.parts.back().upload_id = "u0";
  Record(*queue_, late);
  EXPECT_TRUE(queue_->ReadDoneParts(run_, parts.at(0).job_id).empty());
  late.parts.back().upload_id = "u1";
  Record(*queue_, late);
  EXPECT_EQ(queue_->ReadDoneParts(run_, parts.at(0).job_id).size(), 1U);
}

TEST_P(WorkQueueContract, APartThatFailedOfAnEarlierUploadIsTakenBackFromNoLaterOne) {
  SplitOne();
  const std::vector<PartJob> parts = queue_->ClaimParts(run_, 1);
  Outcomes late;
  late.returned_parts.push_back({1, parts.at(0).part.number, "u0"});
  Record(*queue_, late);
  EXPECT_EQ(others_->ClaimParts(run_, 10).size(), 2U);
  late.returned_parts.back().upload_id = "u1";
  Record(*queue_, late);
  EXPECT_EQ(others_->ClaimParts(run_, 10).size(), 1U);
}

TEST_P(WorkQueueContract, APartThatFailedCountsOnceHoweverOftenItIsSaid) {
  SplitOne();
  const PartJob part = queue_->ClaimParts(run_, 1).at(0);
  Outcomes outcomes;
  outcomes.returned_parts.push_back({1, part.part.number, part.upload_id});
  outcomes.failed.push_back(Failed(1));
  outcomes.failed.back().upload_id = part.upload_id;
  Record(*queue_, outcomes);
  const Job job = queue_->ClaimRetries(run_, 1).at(0);
  EXPECT_TRUE(queue_->Split(world_->task_id(), job, "u1", 10, job.source, {}, {}, "n1"));
  Record(*queue_, outcomes);
  EXPECT_EQ(world_->StateOf(run_, 1), "in_flight");
  EXPECT_EQ(queue_->ClaimParts(run_, 10).at(0).attempts, 1);
}

TEST_P(WorkQueueContract, AnUploadHeardOfAfterItsIntentWasForgottenIsRecordedAsAbandoned) {
  run_ = world_->AddRun(1);
  const Job job = ClaimAll(*queue_).at(0);
  queue_->IntendUpload(world_->task_id(), job, 10, "n");
  Outcomes outcomes;
  outcomes.settled_intents = {"n"};
  outcomes.failed.push_back(Failed(job.job_id));
  Record(*queue_, outcomes);
  EXPECT_FALSE(queue_->Split(world_->task_id(), job, "u9", 10, job.source, {}, {}, "n"));
  const std::vector<KnownUpload> uploads = queue_->FindUploads(world_->task_id(), {job.key});
  ASSERT_EQ(uploads.size(), 1U);
  EXPECT_EQ(uploads.at(0).upload_id, "u9");
  EXPECT_TRUE(uploads.at(0).abandoned);
}

TEST_P(WorkQueueContract, APartThatFailedSpeaksForItsObjectOnlyWhileThatGoesOnThroughItsUpload) {
  SplitOne();
  const std::vector<PartJob> parts = queue_->ClaimParts(run_, 3);
  const auto fail = [&](const PartJob& part) {
    Outcomes outcomes;
    outcomes.failed.push_back(Failed(1));
    outcomes.failed.back().upload_id = part.upload_id;
    outcomes.returned_parts.push_back({1, part.part.number, part.upload_id});
    Record(*queue_, outcomes);
  };
  fail(parts.at(0));
  EXPECT_EQ(world_->StateOf(run_, 1), "retry_wait");
  EXPECT_TRUE(others_->ClaimParts(run_, 10).empty()) << "nobody works on it now";
  ASSERT_EQ(others_->ClaimRetries(run_, 10).size(), 1U);
  fail(parts.at(1));
  EXPECT_EQ(world_->StateOf(run_, 1), "in_flight") << "somebody looks at it anew";
}

TEST_P(WorkQueueContract, WhatALostWorkerHeldGoesToOthersAndCostsNoAttempt) {
  run_ = world_->AddRun(2);
  std::int64_t cursor = 0;
  queue_->ClaimJobs(run_, cursor, 1);
  const Job kept = others_->ClaimJobs(run_, cursor, 1).at(0);
  EXPECT_EQ(others_->RequeueLost(run_), 0);
  world_->EndLease(ours_);
  EXPECT_EQ(others_->RequeueLost(run_), 1);
  EXPECT_EQ(others_->RequeueLost(run_), 0);
  const std::vector<Job> again = others_->ClaimRetries(run_, 10);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again.at(0).job_id, 1);
  EXPECT_EQ(again.at(0).attempts, 0);
  EXPECT_EQ(world_->StateOf(run_, kept.job_id), "in_flight");
}

TEST_P(WorkQueueContract, WhatANewWorkerCompletesGoesToOthersWhenThatIsLost) {
  SplitOne();
  Outcomes outcomes;
  for (const PartJob& part : queue_->ClaimParts(run_, 10)) {
    outcomes.parts.push_back(Finished(part));
  }
  Record(*queue_, outcomes);
  ASSERT_EQ(others_->ClaimCompletions(run_, 10).size(), 1U) << "the first thing that it does";
  world_->EndLease(theirs_);
  EXPECT_EQ(queue_->RequeueLost(run_), 1);
  EXPECT_EQ(queue_->ClaimRetries(run_, 10).size(), 1U);
}

TEST_P(WorkQueueContract, PartsOfALostWorkerGoToOthersToo) {
  SplitOne();
  ASSERT_EQ(queue_->ClaimParts(run_, 2).size(), 2U);
  world_->EndLease(ours_);
  EXPECT_EQ(others_->RequeueLost(run_), 2);
  EXPECT_EQ(others_->ClaimParts(run_, 10).size(), 3U);
}

TEST_P(WorkQueueContract, WhoLeavesGivesBackWhatItHolds) {
  run_ = world_->AddRun(2);
  ClaimAll(*queue_, 1);
  ASSERT_EQ(ClaimAll(*others_).size(), 1U);
  queue_->ReleaseAll(run_);
  EXPECT_EQ(world_->StateOf(run_, 1), "retry_wait");
  EXPECT_EQ(world_->StateOf(run_, 2), "in_flight");
}

TEST_P(WorkQueueContract, PartsThatTheStoreLostAreSentAgainAndNoOthers) {
  SplitOne();
  const Job ready = FinishParts();
  Outcomes outcomes;
  outcomes.lost_parts.emplace_back(1, 2);
  outcomes.failed.push_back(Failed(1));
  Record(*queue_, outcomes);
  const std::vector<Job> again = queue_->ClaimRetries(run_, 10);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again.at(0).parts_left, 1);
  EXPECT_EQ(queue_->ReadDoneParts(run_, 1).size(), 2U);
}

TEST_P(WorkQueueContract, TheChecksumOfAPartIsKeptAsLongAsThePartIs) {
  SplitOne();
  const std::string checksum = "crc64nvme:rosUhgp5mIg=";
  Outcomes outcomes;
  for (const PartJob& part : others_->ClaimParts(run_, 10)) {
    outcomes.parts.push_back(Finished(part));
    if (part.part.number < 3) outcomes.parts.back().checksum = checksum;
  }
  Record(*others_, outcomes);
  queue_->ClaimCompletions(run_, 10);
  const auto checksums = [&] {
    std::vector<std::string> all;
    for (const StoredPart& part : queue_->ReadDoneParts(run_, 1)) all.push_back(part.checksum);
    return all;
  };
  EXPECT_EQ(checksums(), (std::vector<std::string>{checksum, checksum, ""}));
  Outcomes lost, again;
  lost.lost_parts.emplace_back(1, 2);
  lost.failed.push_back(Failed(1));
  Record(*queue_, lost);
  const Job retry = queue_->ClaimRetries(run_, 10).at(0);
  ASSERT_TRUE(queue_->Split(world_->task_id(), retry, "u1", 10, retry.source, {}, {}, "n1"));
  again.parts.push_back(Finished(others_->ClaimParts(run_, 10).at(0)));
  Record(*others_, again);
  EXPECT_EQ(checksums(), (std::vector<std::string>{checksum, "", ""}));
}

TEST_P(WorkQueueContract, PartsThatAreThereAlreadyBringTheirChecksumsAlong) {
  run_ = world_->AddRun(1);
  const Job job = ClaimAll(*queue_).at(0);
  queue_->IntendUpload(world_->task_id(), job, 10, "n1");
  const std::vector<FinishedPart> there = {
      {1, 1, "e1", std::string(16, '\0'), {}, "crc64nvme:rosUhgp5mIg="},
      {1, 2, "e2", std::string(16, 'm')}};
  ASSERT_TRUE(queue_->Split(world_->task_id(), job, "u1", 10, job.source, there, {}, "n1"));
  const std::vector<StoredPart> parts = queue_->ReadDoneParts(run_, 1);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].checksum, "crc64nvme:rosUhgp5mIg=");
  EXPECT_EQ(parts[1].checksum, "");
}

TEST_P(WorkQueueContract, AnUploadThatIsDroppedTakesItsPartsAlong) {
  const Job job = SplitOne();
  const Job ready = FinishParts();
  EXPECT_EQ(queue_->FindUploads(world_->task_id(), {job.key}).at(0).upload_id, "u1");
  queue_->DropUpload(world_->task_id(), ready);
  queue_->DropUpload(world_->task_id(), ready);
  EXPECT_TRUE(queue_->ReadDoneParts(run_, 1).empty());
  EXPECT_FALSE(queue_->FindUploads(world_->task_id(), {job.key}).at(0).InUse());
  Outcomes outcomes;
  outcomes.failed.push_back(Failed(1));
  Record(*queue_, outcomes);
  EXPECT_TRUE(queue_->ClaimRetries(run_, 1).at(0).upload_id.empty());
}

TEST_P(WorkQueueContract, AnotherUploadOfTheSameObjectKeepsNoPartOfTheFirst) {
  SplitOne();
  FinishParts();
  Outcomes outcomes;
  outcomes.failed.push_back(Failed(1));
  Record(*queue_, outcomes);
  const Job job = queue_->ClaimRetries(run_, 1).at(0);
  EXPECT_TRUE(queue_->Split(world_->task_id(), job, "u2", 10, job.source, {}, {}, "n2"));
  EXPECT_TRUE(queue_->ReadDoneParts(run_, 1).empty());
  EXPECT_EQ(queue_->ClaimParts(run_, 10).size(), 3U);
}

TEST_P(WorkQueueContract, AnUploadIsFoundBeforeAndAfterItIsOpen) {
  run_ = world_->AddRun(1);
  const Job job = ClaimAll(*queue_).at(0);
  EXPECT_TRUE(queue_->FindUploads(world_->task_id(), {job.key}).empty());
  queue_->IntendUpload(world_->task_id(), job, 10, "n1");
  EXPECT_EQ(queue_->FindUploads(world_->task_id(), {job.key}).at(0).upload_id, "");
  EXPECT_TRUE(queue_->Split(world_->task_id(), job, "u1", 10, job.source,
                            {{1, 2, "e2", std::string(16, 'm')}}, {}, "n1"));
  const KnownUpload known = queue_->FindUploads(world_->task_id(), {job.key}).at(0);
  EXPECT_EQ(known.upload_id, "u1");
  EXPECT_EQ(known.part_bytes, 10U);
  EXPECT_EQ(others_->ClaimParts(run_, 10).size(), 2U) << "the one that was there is not sent";
}

TEST_P(WorkQueueContract, NothingOfAClosedRunIsClaimed) {
  run_ = world_->AddRun(2);
  ClaimAll(*queue_, 1);
  queue_->FailRun(run_, "the bucket is gone");
  EXPECT_EQ(world_->RunStateOf(run_), "failed");
  EXPECT_TRUE(ClaimAll(*queue_).empty());
  EXPECT_TRUE(queue_->CloseIfFinal(run_));
  EXPECT_EQ(world_->RunStateOf(run_), "failed");
}

TEST_P(WorkQueueContract, ARunThatOthersWorkOnIsNotClosedAsFailedByOne) {
  run_ = world_->AddRun(2);
  ClaimAll(*queue_, 1);
  ClaimAll(*others_, 1);
  EXPECT_FALSE(others_->FailRun(run_, "the keys are refused"));
  EXPECT_EQ(world_->RunStateOf(run_), "copying");
  world_->EndLease(ours_);
  EXPECT_TRUE(others_->FailRun(run_, "the keys are refused"));
  EXPECT_EQ(world_->RunStateOf(run_), "failed");
}

INSTANTIATE_TEST_SUITE_P(Queues, WorkQueueContract, testing::Values("in_memory", "postgresql"),
                         [](const auto& queue) { return std::string(queue.param); });

}  // namespace
}  // namespace ferry
