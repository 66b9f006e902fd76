#include "batch/copy/delete_extra.h"

#include "tests/copy/copy_fixture.h"

namespace ferry {
namespace {

class DeleteExtraTest : public CopyFixture {
 protected:
  // "d/NAME" at the destination, and nothing at the source.
  ObjectToDelete Extra(const std::string& name, ExtraKind kind = ExtraKind::kBrought) {
    const test::StoredObject& there = destination_.Add("d/" + name, "bytes");
    ObjectToDelete object;
    object.source_key = Key("s/" + name);
    object.destination_key = Key("d/" + name);
    object.target = {kind, there.etag, there.bytes.size(), there.modified_ms,
                     kind == ExtraKind::kBrought};
    return object;
  }
  DeleteOutcome Delete(const ObjectToDelete& object) {
    return Await([&] { return DeleteExtra(ends(), object); });
  }
  std::string FailDelete(const ObjectToDelete& object) {
    return Failure([&] { return DeleteExtra(ends(), object); });
  }
  void ExpectStays(const std::string& name) {
    EXPECT_NE(At("d/" + name), nullptr);
    EXPECT_EQ(destination_.CountCalls("delete"), 0);
  }
};

TEST_F(DeleteExtraTest, WhatTheSourceDoesNotHaveGoes) {
  EXPECT_EQ(Delete(Extra("a")), DeleteOutcome::kDeleted);
  EXPECT_EQ(Delete(Extra("b", ExtraKind::kForeign)), DeleteOutcome::kDeleted);
  EXPECT_TRUE(destination_.objects().empty());
}

TEST_F(DeleteExtraTest, WhoeverMayNoLongerActDeletesNothing) {
  ObjectToDelete object = Extra("a");
  object.may_act = [&] { return destination_.CountCalls("head") == 0; };  // lost meanwhile
  EXPECT_EQ(FailDelete(object), "nobody:stopped");
  ExpectStays("a");
}

TEST_F(DeleteExtraTest, WhatCameBackToTheSourceStays) {
  const ObjectToDelete object = Extra("a");
  source_.Add("s/a", "again");
  EXPECT_EQ(Delete(object), DeleteOutcome::kSourceHasIt);
  ExpectStays("a");
}

TEST_F(DeleteExtraTest, OnlyAPlain404OfTheSourceIsAProof) {
  const Error answers[] = {
      {ErrorKind::kDenied, "403", "AccessDenied"},
      {ErrorKind::kNotFound, "404 without a reason"},
      {ErrorKind::kNotFound, "no bucket", "NoSuchBucket"},
      {ErrorKind::kInvalid, "400", "InvalidRequest"},
      {ErrorKind::kUnavailable, "500", "InternalError"},
      {ErrorKind::kCorrupt, "a web page", "MalformedAnswer"},
      {ErrorKind::kConflict, "409", "OperationAborted"},
      {ErrorKind::kCredentials, "expired", "ExpiredToken"},
  };
  for (const Error& answer : answers) {
    const ObjectToDelete object = Extra("a");
    source_.FailCall("head", 1, Moment::kBeforeEffect, answer);
    EXPECT_EQ(FailDelete(object), "source:" + std::string(ToString(answer.kind())))
        << answer.what();
    ExpectStays("a");
  }
}

TEST_F(DeleteExtraTest, WhatMustBeRestoredAtTheSourceIsThere) {
  const ObjectToDelete object = Extra("a");
  source_.FailCall("head", 1, Moment::kBeforeEffect,
                   Error(ErrorKind::kArchived, "restore it", "InvalidObjectState"));
  EXPECT_EQ(Delete(object), DeleteOutcome::kSourceHasIt);
  ExpectStays("a");
}

TEST_F(DeleteExtraTest, WhatTheDestinationOverwroteStays) {
  for (const ExtraKind kind : {ExtraKind::kBrought, ExtraKind::kForeign}) {
    const ObjectToDelete object = Extra("a", kind);
    destination_.Add("d/a", "other");  // of the same size
    EXPECT_EQ(Delete(object), DeleteOutcome::kChanged);
    ExpectStays("a");
  }
}

TEST_F(DeleteExtraTest, OverwrittenByTheSameBytesItIsStillNotWhatWasListed) {
  ObjectToDelete object = Extra("a", ExtraKind::kForeign);
  destination_.objects().at(Key("d/a")).modified_ms += 1000;
  EXPECT_EQ(Delete(object), DeleteOutcome::kChanged);
  ExpectStays("a");
}

TEST_F(DeleteExtraTest, WhatTheLedgerDoesNotHoldAnyMoreStays) {
  ObjectToDelete object = Extra("a");
  object.target.in_ledger = false;
  EXPECT_EQ(Delete(object), DeleteOutcome::kChanged);
  ExpectStays("a");
}

TEST_F(DeleteExtraTest, WhatIsGoneNeedsNoDelete) {
  const ObjectToDelete object = Extra("a");
  destination_.objects().clear();
  EXPECT_EQ(Delete(object), DeleteOutcome::kAlreadyGone);
  EXPECT_EQ(destination_.CountCalls("delete"), 0);
}

TEST_F(DeleteExtraTest, ADeleteWhoseAnswerWasLostIsFoundDoneTheSecondTime) {
  const ObjectToDelete object = Extra("a");
  destination_.FailCall("delete", 1, Moment::kAfterEffect, Error(ErrorKind::kUnavailable, "cut"));
  EXPECT_EQ(FailDelete(object), "destination:unavailable");
  EXPECT_EQ(Delete(object), DeleteOutcome::kAlreadyGone);
}

TEST_F(DeleteExtraTest, ADestinationThatCannotBeExaminedKeepsItsObject) {
  const ObjectToDelete object = Extra("a");
  destination_.FailCall("head", 1, Moment::kBeforeEffect,
                        Error(ErrorKind::kDenied, "403", "AccessDenied"));
  EXPECT_EQ(FailDelete(object), "destination:denied");
  ExpectStays("a");
}

// On the wire an empty key is the bucket.
TEST_F(DeleteExtraTest, AnEmptyKeyIsNeverSent) {
  ObjectToDelete object = Extra("a");
  object.destination_key = Key("");
  EXPECT_EQ(FailDelete(object), "nobody:invalid");
  object = Extra("a");
  object.source_key = Key("");
  EXPECT_EQ(FailDelete(object), "nobody:invalid");
  EXPECT_TRUE(destination_.calls().empty());
}

}  // namespace
}  // namespace ferry
