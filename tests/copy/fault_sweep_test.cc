// A run from its beginning to its close, with one thing going wrong: the Nth call to a store, or
// the Nth commit at the database, before or after its effect, once or from then on for ever, until
// N is past the end. Whatever it was, no row lies, and the next run brings over what is missing.
#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "batch/copy/janitor.h"
#include "batch/copy/planner.h"
#include "batch/copy/worker.h"
#include "batch/listing/listing_stream.h"
#include "batch/queue/job_queue.h"
#include "batch/queue/terms.h"
#include "tests/queue/queue_fixture.h"
#include "tests/support/database_proxy.h"
#include "tests/support/fake_store.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;
using Moment = test::FakeStore::Moment;
using Cut = test::DatabaseProxy::Cut;

constexpr std::uint64_t kPart = 1 << 20;

// Time that passes twenty times as fast.
class FastClock final : public Clock {
 public:
  SteadyTime SteadyNow() const override { return begin_ + (real_.SteadyNow() - begin_) * kFactor; }
  WallTime WallNow() const override { return real_.WallNow(); }
  bool SleepFor(milliseconds delay, std::stop_token stop) override {
    return real_.SleepFor(delay / kFactor, std::move(stop));
  }

 private:
  static constexpr int kFactor = 20;
  SystemClock real_;
  const SteadyTime begin_ = real_.SteadyNow();
};

class Quiet final : public RunObserver {
 public:
  void OnDone(const std::string&, const Key&, const DoneJob&) override {}
  void OnRetry(const std::string&, const Key&, const std::string&) override {}
  void OnDead(const std::string&, const Key&, const std::string&) override {}
  void OnVerdict(const std::string&, const Key&, const JobVerdict&) override {}
  void OnRunGivenUp(const std::string&, std::int64_t, const std::string&, bool) override {}
  void OnTick(WorkQueue&) override {}
};

// The two stores, which outlive every process.
class SweptStores final : public EndsFactory {
 public:
  explicit SweptStores(EventLoop& loop) : loop_(loop), source(loop), destination(loop) {
    provider_.etag = EtagHabit::kMd5;
    provider_.limits.part_bytes_min = 1;
  }
  Ends ends() { return {loop_, source, destination, provider_, provider_}; }
  std::unique_ptr<TaskEnds> Make(EventLoop&, const std::string&) override {
    return std::make_unique<Both>(*this);
  }
  RequestCounters& Counters(const std::string&) override { return counters_; }

 private:
  struct Both final : TaskEnds {
    explicit Both(SweptStores& stores) : owner(stores) {}
    Ends ends() override { return owner.ends(); }
    SweptStores& owner;
  };

  EventLoop& loop_;
  Provider provider_ = FindProvider("s3");
  RequestCounters counters_;

 public:
  test::FakeStore source;
  test::FakeStore destination;
};

// One world for each fault.
class SweptWorld final : public QueueFixture {
 public:
  SweptWorld() {
    stores_.source.Add("in/large", Bytes(2 * kPart + 4711));
    stores_.source.Add("in/middle", Bytes(100'000));
    stores_.source.Add("in/small", "ten bytes.").metadata.tags = {{"a", "b"}};
  }
  ~SweptWorld() override { lanes_->Stop(); }

  SweptStores& stores() { return stores_; }
  test::DatabaseProxy& proxy() { return *proxy_; }
  // From any thread.
  void LoseDatabaseForEver() {
    MutexLock lock(mutex_);
    proxy_.reset();
  }

  // A process as `run` is one: plans, works, tidies, leaves.
  void Live(bool through_proxy) {
    const auto connect = [&, through_proxy] {
      pg::ConnectOptions options = database_.options();
      if (through_proxy) {
        MutexLock lock(mutex_);
        if (!proxy_) throw Error(ErrorKind::kUnavailable, "the database is gone");
        options = proxy_->Through(options);
      }
      return std::make_unique<pg::Session>(options);
    };
    try {
      Terms terms(connect, clock_, {}, kPatience);
      const auto worker_id = [&] { return terms.Current({})->worker_id(); };
      PlannerSession planner({connect, worker_id, clock_, kPatience, {}});
      const BegunRun begun = planner.Begin(Place(), RunKind::kScheduled);
      if (begun.skipped) return;
      try {
        PlanAll(planner, begun);
        planner.FinishPlanning(begun.run_id);
      } catch (const Error& error) {
        planner.Fail(begun.run_id, error.what(), kPatience);
      }
      Work(terms, connect, begun.run_id);
      const std::unique_ptr<pg::Session> session = connect();
      TidyOrder order;
      order.task_id = begun.task_id;
      order.worker_id = worker_id();
      order.source_prefix = Place().source_prefix;
      order.destination_prefix = Place().destination_prefix;
      order.abandoned_after = std::chrono::hours(24);
      TidyUploads(*session, order, stores_.ends(), {});
    } catch (const Error&) {
      // Ends, as a process does.
    }
  }

  // As time does it to those who are gone.
  void EndAllLeases() {
    Run("update bucketferry.worker set leased_until = clock_timestamp(), released_at ="
        " clock_timestamp() where released_at is null");
  }

  void ExpectNoLie() {
    EXPECT_EQ(Ask<std::int64_t>("select count(*) as v from bucketferry.run r"
                                " where state = 'complete' and (dead > 0 or exists"
                                " (select from bucketferry.job j where j.run_id = r.run_id and"
                                "  j.state not in ('done', 'vanished', 'archived')))"),
              0)
        << "a complete run with objects that are not";
    EXPECT_EQ(Ask<std::int64_t>(
                  "select count(*) as v from bucketferry.run_history where state in"
                  " ('complete', 'incomplete') and planned > done + adopted + dead + vanished"),
              0)
        << "a closed run whose objects do not add up";
    session_.Transact([&](pg::Transaction& tx) {
      for (const pg::Row row : tx.ExecuteText("select key, destination_etag from"
                                              " bucketferry.destination_object")) {
        const Key key = row.Get<Key>("key");
        const auto held = stores_.destination.objects().find(Key("out/" + key.bytes().substr(3)));
        ASSERT_NE(held, stores_.destination.objects().end()) << Escape(key) << " is not there";
        EXPECT_EQ(held->second.etag, row.Get<std::string>("destination_etag"));
      }
    });
    EXPECT_LE(
        stores_.destination.open_uploads(),
        static_cast<std::size_t>(Ask<std::int64_t>("select count(*) as v from bucketferry.upload")))
        << "an open upload without a row";
    const auto copied = Ask<std::int64_t>(
        "select coalesce(sum(objects_copied + bytes_copied), 0)::bigint as v from"
        " bucketferry.task");
    EXPECT_GE(copied, copied_) << "a counter went down";
    copied_ = copied;
  }

  void ExpectAllThere() {
    EXPECT_EQ(Ask<std::string>("select state as v from bucketferry.run order by run_id desc"
                               " limit 1"),
              "complete");
    for (const auto& [key, object] : stores_.source.objects()) {
      const Key at("out/" + key.bytes().substr(3));
      const auto held = stores_.destination.objects().find(at);
      ASSERT_NE(held, stores_.destination.objects().end()) << Escape(at);
      EXPECT_EQ(held->second.bytes, object.bytes) << Escape(at);
      EXPECT_EQ(held->second.metadata.tags, object.metadata.tags) << Escape(at);
    }
    EXPECT_EQ(stores_.destination.open_uploads(), 0U);
  }

 private:
  static constexpr milliseconds kPatience{20'000};  // one second

  void TestBody() override {}

  static std::string Bytes(std::size_t size) {
    std::string bytes(size, '\0');
    std::uint32_t x = 1;
    for (char& c : bytes) c = static_cast<char>((x = x * 1664525U + 1013904223U) >> 24);
    return bytes;
  }

  void PlanAll(PlannerSession& planner, const BegunRun& begun) {
    EventLoop& loop = lanes_->loop();
    ListingStream source({{loop, stores_.source}}, "in/", "far:src");
    ListingStream destination({{loop, stores_.destination}}, "out/", "near:dst");
    LedgerStream ledger(
        [&](const Key& after, std::int64_t limit) {
          return planner.Read([&](pg::Session& session) {
            return ReadLedger(session, begun.task_id, after, limit);
          });
        },
        "in/");
    PlanWriter writer(planner, begun.run_id, begun.task_id, clock_);
    const ObjectFilter filter(KeyFilter({}, {}));
    Compare({source, destination, ledger, filter, AdoptPolicy::kVerify,
             stores_.ends().destination_provider, "in/", "out/"},
            {}, [&](const Found& found) { writer.Add(found); });
    writer.Finish();
  }

  void Work(Terms& terms, const Terms::Connect& connect, std::int64_t run_id) {
    WorkerOptions options;
    options.concurrency = 2;
    options.memory_bytes = 64 << 20;
    options.part_bytes = kPart;
    options.multipart_threshold = 2 * kPart;
    options.attempts_max = 3;
    options.outage_patience = kPatience;
    options.retry_backoff = {milliseconds(2), milliseconds(10)};
    Worker::Until until;
    until.tasks = {"media"};
    until.accepts = [run_id](const OpenRun& run) { return run.run_id == run_id; };
    until.more_may_come = [] { return false; };
    until.enough = [] { return false; };
    while (true) {
      const std::shared_ptr<const Term> term = terms.Current({});
      const auto open_queue = [&] {
        return std::make_unique<JobQueue>(connect(), term->worker_id(), options.attempts_max);
      };
      Worker worker({open_queue, *term, *lanes_, clock_, quiet_, stores_}, options);
      if (worker.Run(until, {}) != Worker::End::kLeaseLost) return;
      lanes_->Reap();
    }
  }

  FastClock clock_;
  Quiet quiet_;
  // The lanes need the stores, and the stores the lanes' loop.
  class Later final : public EndsFactory {
   public:
    SweptStores* stores = nullptr;
    std::unique_ptr<TaskEnds> Make(EventLoop& loop, const std::string& task) override {
      return stores->Make(loop, task);
    }
    RequestCounters& Counters(const std::string& task) override { return stores->Counters(task); }
  };
  Later factory_;
  std::unique_ptr<LanePool> lanes_ =
      std::make_unique<LanePool>(1, std::size_t{1} << 20, factory_, clock_);
  SweptStores stores_{lanes_->loop()};
  const bool wired_ = (factory_.stores = &stores_) != nullptr;
  Mutex mutex_;
  std::unique_ptr<test::DatabaseProxy> proxy_ =
      std::make_unique<test::DatabaseProxy>(database_.options().uri);
  std::int64_t copied_ = 0;
};

// Each fifth fault; BUCKETFERRY_TEST_ALL: every one.
int Stride() { return std::getenv("BUCKETFERRY_TEST_ALL") != nullptr ? 1 : 5; }

// Runs `spoil`, a process, then clean ones until all is there.
void Sweep(SweptWorld& world, const std::string& what) {
  SCOPED_TRACE(what);
  world.Live(/*through_proxy=*/true);
  world.ExpectNoLie();
  world.stores().source.ForgetFaults();
  world.stores().destination.ForgetFaults();
  world.EndAllLeases();
  world.Live(/*through_proxy=*/false);
  world.ExpectNoLie();
  world.ExpectAllThere();
}

TEST(FaultSweep, ALostCommitIsSettledByLookingAndTheRunGoesOn) {
  int commits = 1;
  for (int nth = 0; nth < commits; nth += Stride()) {
    for (const Cut cut : {Cut::kBefore, Cut::kAfter}) {
      SweptWorld world;
      world.proxy().CutCommit(cut, nth);
      world.Live(/*through_proxy=*/true);
      SCOPED_TRACE("commit " + std::to_string(nth) + (cut == Cut::kAfter ? " after" : " before"));
      world.ExpectNoLie();
      world.ExpectAllThere();  // the process itself brought it to its end
      commits = std::max(commits, world.proxy().commits());
      if (testing::Test::HasFailure()) return;
    }
  }
  EXPECT_GT(commits, 10);
}

TEST(FaultSweep, ADatabaseThatIsGoneForEverLeavesAllToTheNextRun) {
  for (int nth = 0; nth < 24; nth += Stride()) {
    SweptWorld world;
    // The process goes on until the commit; from then on nothing answers.
    world.proxy().CutCommit(Cut::kBefore, nth);
    std::jthread killer([&](const std::stop_token& stop) {
      while (!stop.stop_requested() && world.proxy().commits() <= nth) std::this_thread::yield();
      world.LoseDatabaseForEver();
    });
    world.Live(/*through_proxy=*/true);
    killer.request_stop();
    killer.join();
    Sweep(world, "commit " + std::to_string(nth) + " for ever");
    if (testing::Test::HasFailure()) return;
  }
}

TEST(FaultSweep, AStoreThatFailsOnceOrForEverLeavesNoLie) {
  for (const bool source : {true, false}) {
    int calls = 1;
    for (int nth = 1; nth <= calls; nth += Stride()) {
      for (const Moment moment : {Moment::kBeforeEffect, Moment::kAfterEffect}) {
        for (const bool for_ever : {false, true}) {
          SweptWorld world;
          test::FakeStore& store = source ? world.stores().source : world.stores().destination;
          const Error error(ErrorKind::kCorrupt, "the store failed");
          for (int i = nth; i < (for_ever ? nth + 400 : nth + 1); ++i) {
            store.FailCall("any", i, moment, error);
          }
          Sweep(world, std::string(source ? "source" : "destination") + " call " +
                           std::to_string(nth) +
                           (moment == Moment::kAfterEffect ? " after" : " before") +
                           (for_ever ? " for ever" : " once"));
          if (!for_ever) calls = std::max(calls, static_cast<int>(store.calls().size()));
          if (testing::Test::HasFailure()) return;
        }
      }
    }
    EXPECT_GT(calls, 5);
  }
}

}  // namespace
}  // namespace ferry
