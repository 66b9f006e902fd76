#include "batch/copy/stray_upload.h"

#include "tests/copy/copy_fixture.h"

namespace ferry {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kPart = 100'000;

class StrayUploadTest : public CopyFixture {
 protected:
  // As after a row that was written so long ago.
  Intent IntentOf(const std::string& nonce, milliseconds age) {
    return {nonce, runner_.clock().SteadyNow() - age};
  }
  // Beside an upload that was just begun.
  Settlement Settle(const std::vector<Intent>& intents, std::vector<std::string> recorded_ids = {},
                    const std::string& key = "d/a") {
    Settlement settlement;
    destination_.AddUpload(key, "new", destination_.initiator_name, destination_.now_ms);
    recorded_ids.push_back("new");
    Await([&] { return SettleIntents(ends(), Key(key), intents, recorded_ids, settlement); });
    EXPECT_TRUE(destination_.HasUpload("new"));
    destination_.ForgetUpload("new");
    return settlement;
  }
  // Somebody's upload of d/a, begun so long ago.
  void AddUpload(const std::string& id, milliseconds age, const std::string& key = "d/a",
                 const std::string& initiator = "us") {
    destination_.AddUpload(key, id, initiator, destination_.now_ms - age.count());
  }
  OpenUpload Open(const ObjectToCopy& object, SplitOptions options) {
    options.part_bytes = kPart;
    return Await([&] { return OpenOrResume(ends(), object, options, settlement_); });
  }
  using Texts = std::vector<std::string>;

  Settlement settlement_;
};

TEST_F(StrayUploadTest, WhatALostAnswerOfCreateLeftIsEndedByTheNextAttempt) {
  const ObjectToCopy object = Add("a", Bytes(kPart));
  SplitOptions options;
  options.nonce = "first";
  options.part_bytes = kPart;
  destination_.FailCall("create_upload", 1, Moment::kAfterEffect,
                        Error(ErrorKind::kUnavailable, "lost"));
  EXPECT_EQ(Failure([&] { return OpenOrResume(ends(), object, options, settlement_); }),
            "destination:unavailable");
  EXPECT_EQ(destination_.open_uploads(), 1U);
  EXPECT_TRUE(settlement_.settled.empty());  // nobody knows
  options.nonce = "second";
  options.intents = {IntentOf("first", seconds(1))};
  const OpenUpload upload = Open(object, options);
  EXPECT_EQ(settlement_.settled, Texts{"first"});
  EXPECT_EQ(upload.nonce, "second");
  EXPECT_EQ(destination_.open_uploads(), 1U);
  EXPECT_TRUE(destination_.HasUpload(upload.upload_id));
}

TEST_F(StrayUploadTest, AnUploadThatSomebodyElseMayHaveBegunIsNeverTouched) {
  AddUpload("before", minutes(25));  // older than the intent
  AddUpload("late", minutes(1));     // younger than any Create of ours
  AddUpload("longer key", minutes(15), "d/ab");
  AddUpload("other key", minutes(15), "d/");
  AddUpload("recorded", minutes(15));
  AddUpload("with parts", minutes(15));
  PutRequest part;
  part.key = Key("d/a");
  part.upload_id = "with parts";
  part.part_number = 1;
  part.body = "x";
  part.bytes = 1;
  Await([&] { return destination_.Put(part); });
  AddUpload("stranger", minutes(15), "d/a", "them");
  const Settlement settlement = Settle({IntentOf("ours", minutes(20))}, {"recorded"});
  EXPECT_EQ(destination_.open_uploads(), 7U);
  EXPECT_EQ(destination_.CountCalls("abort_upload"), 0);
  EXPECT_EQ(settlement.settled, Texts{"ours"});  // long over, and nothing of it is there
}

TEST_F(StrayUploadTest, AListWhoseKeysAreEncodedWithoutSayingSoIsUnderstood) {
  destination_.encodes_upload_keys = true;
  AddUpload("u", minutes(15), "d/a +%41\x01");
  AddUpload("longer", minutes(15), "d/a +%41\x01/b");
  EXPECT_EQ(Settle({IntentOf("ours", minutes(20))}, {}, "d/a +%41\x01").settled, Texts{"ours"});
  EXPECT_FALSE(destination_.HasUpload("u"));
  EXPECT_TRUE(destination_.HasUpload("longer"));
}

TEST_F(StrayUploadTest, WhoBeginsOurUploadsIsToldByOneThatIsRecorded) {
  destination_.initiator_name = "role/ferry";
  AddUpload("recorded", seconds(1), "d/a", "role/ferry");
  AddUpload("ours", seconds(2), "d/a", "role/ferry");
  AddUpload("theirs", seconds(2), "d/a", "role/other");
  EXPECT_EQ(Settle({IntentOf("n", seconds(3))}, {"recorded"}).settled, Texts{"n"});
  EXPECT_FALSE(destination_.HasUpload("ours"));
  EXPECT_TRUE(destination_.HasUpload("theirs"));
}

TEST_F(StrayUploadTest, AListThatLacksWhatWasJustBegunIsNotBelieved) {
  AddUpload("ours", seconds(2));
  Settlement settlement;
  Await([&] {
    return SettleIntents(ends(), Key("d/a"), {IntentOf("n", minutes(30))}, {"new"}, settlement);
  });
  EXPECT_TRUE(settlement.settled.empty());
  EXPECT_TRUE(settlement.problem.has_value());
  EXPECT_TRUE(destination_.HasUpload("ours"));
}

TEST_F(StrayUploadTest, ClocksThatDifferDoNotMatter) {
  destination_.now_ms += 86'400'000;  // the store lives a day ahead
  AddUpload("ours", seconds(2));
  EXPECT_EQ(Settle({IntentOf("n", seconds(3))}).settled, Texts{"n"});
  EXPECT_EQ(destination_.open_uploads(), 0U);
}

TEST_F(StrayUploadTest, AStoreThatDoesNotSayItsTimeIsNotJudged) {
  AddUpload("ours", seconds(2));
  destination_.now_ms = 0;
  const Settlement settlement = Settle({IntentOf("n", minutes(30))});
  EXPECT_TRUE(settlement.settled.empty());
  EXPECT_TRUE(settlement.problem.has_value());
  EXPECT_EQ(destination_.open_uploads(), 1U);
}

TEST_F(StrayUploadTest, AnIntentThatLeftNothingYetIsKeptWhileItsCreateMayStillArrive) {
  const Settlement settlement =
      Settle({IntentOf("young", seconds(1)), IntentOf("over", minutes(16))});
  EXPECT_EQ(settlement.settled, Texts{"over"});
  EXPECT_FALSE(settlement.problem.has_value());
}

TEST_F(StrayUploadTest, OfTwoIntentsTheLaterOneBeganTheUpload) {
  AddUpload("ours", seconds(2));
  EXPECT_EQ(Settle({IntentOf("first", seconds(60)), IntentOf("second", seconds(3))}).settled,
            Texts{"second"});
}

TEST_F(StrayUploadTest, EachOfTwoIntentsBeganOneOfTheUploads) {
  AddUpload("one", milliseconds(2000));
  AddUpload("two", milliseconds(1000));
  const Settlement settlement =
      Settle({IntentOf("first", milliseconds(2100)), IntentOf("second", milliseconds(1100))});
  EXPECT_EQ(settlement.settled, (Texts{"second", "first"}));
  EXPECT_EQ(destination_.open_uploads(), 0U);
}

TEST_F(StrayUploadTest, WithoutThePermissionToListUploadsTheCopyGoesOn) {
  const ObjectToCopy object = Add("a", Bytes(kPart));
  AddUpload("ours", seconds(2));
  destination_.FailCall("list_uploads", 1, Moment::kBeforeEffect,
                        Error(ErrorKind::kDenied, "no", "AccessDenied"));
  SplitOptions options;
  options.nonce = "n";
  options.intents = {IntentOf("lost", seconds(3))};
  const OpenUpload upload = Open(object, options);
  EXPECT_FALSE(upload.upload_id.empty());
  ASSERT_TRUE(settlement_.problem.has_value());
  EXPECT_EQ(settlement_.problem->kind(), ErrorKind::kDenied);
  EXPECT_TRUE(settlement_.settled.empty());
  EXPECT_EQ(destination_.open_uploads(), 2U);
}

TEST_F(StrayUploadTest, NobodyListsUploadsWhereEveryAnswerWasHeard) {
  const ObjectToCopy object = Add("a", Bytes(kPart));
  SplitOptions options;
  options.nonce = "n";
  OpenUpload upload = Open(object, options);
  EXPECT_TRUE(settlement_.settled.empty());
  options.open = upload;
  options.nonce = "unused";
  EXPECT_EQ(Open(object, options).nonce, "n");
  EXPECT_EQ(settlement_.settled, Texts{"unused"});  // no Create was sent for it
  EXPECT_EQ(destination_.CountCalls("list_uploads"), 0);
}

TEST_F(StrayUploadTest, AnIntentWhoseCreateWasNeverSentOrWasRefusedLeavesNothing) {
  const ObjectToCopy object = Add("a", Bytes(kPart));
  SplitOptions options;
  options.part_bytes = kPart;
  options.nonce = "n";
  const auto open = [&] { return OpenOrResume(ends(), object, options, settlement_); };
  source_.FailCall("head", 1, Moment::kBeforeEffect, Error(ErrorKind::kUnavailable, "away"));
  EXPECT_EQ(Failure(open), "source:unavailable");
  EXPECT_EQ(settlement_.settled, Texts{"n"});
  for (const ErrorKind kind : {ErrorKind::kDenied, ErrorKind::kThrottled, ErrorKind::kInvalid}) {
    settlement_ = {};
    destination_.FailCall("create_upload", 1, Moment::kBeforeEffect, Error(kind, "no"));
    Failure(open);
    EXPECT_EQ(settlement_.settled, Texts{"n"}) << ToString(kind);
  }
}

TEST_F(StrayUploadTest, AnUploadIsAbortedUntilItIsGone) {
  AddUpload("u", seconds(1));
  destination_.FailCall("abort_upload", 1, Moment::kBeforeEffect, Error(ErrorKind::kDenied, "no"));
  const auto end = [&] { return EndUpload(ends(), Key("d/a"), "u"); };
  EXPECT_EQ(Failure(end), "nobody:denied");
  EXPECT_TRUE(Await(end));
  EXPECT_TRUE(Await(end));  // gone already
}

}  // namespace
}  // namespace ferry
