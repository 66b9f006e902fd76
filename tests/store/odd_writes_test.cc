// Answers to a write as no healthy server gives them: none of them makes an object "done" that may
// not be there, and none of them is taken for a refusal that may pass.
#include <gtest/gtest.h>

#include "tests/support/odd_store.h"

namespace ferry {
namespace {

using test::CutBody;
using test::ErrorXml;
using test::HttpText;
using test::OddStore;
using test::Says;
using test::ScriptedAnswer;

constexpr const char* kCompleted =
    "<CompleteMultipartUploadResult><ETag>\"e-1\"</ETag></CompleteMultipartUploadResult>";

struct OddAnswer {
  const char* fact;
  ScriptedAnswer answer;
  const char* end;
};

std::string Put(OddStore& odd) {
  PutRequest request;
  request.key = Key("k");
  request.body = "abc";
  request.bytes = 3;
  return odd.EndOf([&] { return odd.store.Put(request); });
}
std::string Complete(OddStore& odd) {
  return odd.EndOf([&] { return odd.store.CompleteUpload(Key("k"), "id", {{1, "e"}}); });
}
std::string Copy(OddStore& odd) {
  CopyRequest request;
  request.source_bucket = "from";
  request.source_key = Key("k");
  request.key = Key("k");
  return odd.EndOf([&] { return odd.store.Copy(request); });
}
std::string Create(OddStore& odd) {
  const ObjectMetadata metadata;
  return odd.EndOf([&] { return odd.store.CreateUpload(Key("k"), metadata); });
}
std::string ListParts(OddStore& odd) {
  return odd.EndOf([&] { return odd.store.ListParts(Key("k"), "id", 0); });
}

template <std::size_t N>
void Check(const OddAnswer (&cases)[N], std::string (*ask)(OddStore&)) {
  for (const OddAnswer& c : cases) {
    OddStore odd({c.answer});
    EXPECT_EQ(ask(odd), c.end) << c.fact;
    EXPECT_EQ(odd.server.seen(), 1U) << c.fact;  // nobody repeats a write unasked
  }
}

ScriptedAnswer Ok(const std::string& body) { return Says(HttpText(200, {}, body)); }

TEST(OddPut, IsWrittenOnlyWhereAStoreSaysWhatItWrote) {
  const OddAnswer cases[] = {
      {"a proxy takes everything", Ok(""), "corrupt MalformedAnswer"},
      {"a login page takes everything",
       Says(HttpText(200, {{"Content-Type", "text/html"}}, "<html>Log in</html>")), "invalid"},
      {"an error under 200", Ok(ErrorXml("InternalError")), "corrupt MalformedAnswer"},
      {"another ETag than MD5", Says(HttpText(200, {{"ETag", "\"IAMRANDOMETAG\""}})), "none"},
      {"an ETag that is weak", Says(HttpText(200, {{"ETag", "W/\"x\""}})), "none"},
      {"what arrived is not what was hashed", Says(HttpText(400, {}, ErrorXml("BadDigest"))),
       "corrupt BadDigest"},
      {"the body was cut on its way", Says(HttpText(400, {}, ErrorXml("IncompleteBody"))),
       "unavailable IncompleteBody"},
      {"another write is under way", Says(HttpText(409, {}, ErrorXml("OperationAborted"))),
       "unavailable OperationAborted"},
      {"a conditional write lost", Says(HttpText(409, {}, ErrorXml("ConditionalRequestConflict"))),
       "conflict ConditionalRequestConflict"},
      {"the precondition failed", Says(HttpText(412)), "conflict"},
      {"a quota", Says(HttpText(403, {}, ErrorXml("QuotaExceeded"))), "denied QuotaExceeded"},
      {"the store is full", Says(HttpText(507, {}, ErrorXml("XMinioStorageFull"))),
       "unavailable XMinioStorageFull"},
      {"too large for a proxy",
       Says(HttpText(413, {{"Content-Type", "text/html"}}, "<html>413</html>")), "invalid"},
      {"a method the store has not", Says(HttpText(501, {}, ErrorXml("NotImplemented"))),
       "invalid NotImplemented"},
      {"no answer at all",
       {.bytes = "", .then = ScriptedAnswer::Then::kReset},
       "unavailable Disconnected"},
      {"an answer cut in its head",
       {.bytes = "HTTP/1.1 200 OK\r\nETa", .then = ScriptedAnswer::Then::kClose},
       "unavailable Disconnected"},
  };
  Check(cases, Put);
}

TEST(OddComplete, IsASuccessOnlyWithItsResult) {
  const OddAnswer cases[] = {
      {"white space before the declaration",
       Ok(" \n <?xml version=\"1.0\"?>" + std::string(kCompleted)), "none"},
      {"an error under 200", Ok(ErrorXml("InternalError")), "unavailable InternalError"},
      {"an error under 200, after white space", Ok("  \n\n" + ErrorXml("SlowDown")),
       "throttled SlowDown"},
      {"a refusal under 200", Ok(ErrorXml("AccessDenied")), "denied AccessDenied"},
      {"an upload that is gone", Says(HttpText(404, {}, ErrorXml("NoSuchUpload"))),
       "not_found NoSuchUpload"},
      {"a part that is another now", Says(HttpText(400, {}, ErrorXml("InvalidPart"))),
       "conflict InvalidPart"},
      {"a part that is too small", Says(HttpText(400, {}, ErrorXml("EntityTooSmall"))),
       "invalid EntityTooSmall"},
      {"nothing but white space", Ok("   \n"), "in_doubt MalformedAnswer"},
      {"an empty answer", Ok(""), "in_doubt MalformedAnswer"},
      {"a result without an ETag",
       Ok("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>"), "in_doubt"},
      {"a result that is cut", Ok("<CompleteMultipartUploadResult><ETag>\"e"),
       "in_doubt MalformedAnswer"},
      {"a result of something else", Ok("<CopyObjectResult><ETag>e</ETag></CopyObjectResult>"),
       "in_doubt MalformedAnswer"},
      {"cut, with its length", CutBody("length", "", " "), "unavailable Disconnected"},
      {"cut, in chunks", CutBody("chunks", "", " "), "unavailable Disconnected"},
      {"cut, with its connection", CutBody("close", "", " "), "in_doubt MalformedAnswer"},
      {"no answer",
       {.bytes = "", .then = ScriptedAnswer::Then::kClose},
       "unavailable Disconnected"},
  };
  Check(cases, Complete);
}

TEST(OddCopy, IsASuccessOnlyWithItsResult) {
  const OddAnswer cases[] = {
      {"white space before the declaration",
       Ok(" \n <?xml version=\"1.0\"?><CopyObjectResult><ETag>e</ETag></CopyObjectResult>"),
       "none"},
      {"an error under 200", Ok(ErrorXml("InternalError")), "unavailable InternalError"},
      {"an error under 200, after white space", Ok("  \n\n" + ErrorXml("SlowDown")),
       "throttled SlowDown"},
      {"a refusal under 200", Ok(ErrorXml("AccessDenied")), "denied AccessDenied"},
      {"another source by now", Says(HttpText(412, {}, ErrorXml("PreconditionFailed"))),
       "conflict PreconditionFailed"},
      {"an archived source", Says(HttpText(403, {}, ErrorXml("ObjectNotInActiveTierError"))),
       "archived ObjectNotInActiveTierError"},
      {"a store without copies", Says(HttpText(501, {}, ErrorXml("NotImplemented"))),
       "invalid NotImplemented"},
      {"no such method", Says(HttpText(405, {}, ErrorXml("MethodNotAllowed"))),
       "invalid MethodNotAllowed"},
      {"an empty answer: the object was written empty", Ok(""), "unavailable MalformedAnswer"},
      {"a result without an ETag", Ok("<CopyObjectResult></CopyObjectResult>"), "corrupt"},
      {"cut, in chunks", CutBody("chunks", "", "<CopyObjectResult>"), "unavailable Disconnected"},
      {"no answer",
       {.bytes = "", .then = ScriptedAnswer::Then::kClose},
       "unavailable Disconnected"},
  };
  Check(cases, Copy);
}

TEST(OddCreate, IsAnUploadOnlyWithItsId) {
  const OddAnswer cases[] = {
      {"no id", Ok("<InitiateMultipartUploadResult></InitiateMultipartUploadResult>"), "corrupt"},
      {"an empty id",
       Ok("<InitiateMultipartUploadResult><UploadId/></InitiateMultipartUploadResult>"), "corrupt"},
      {"an error under 200", Ok(ErrorXml("SlowDown")), "throttled SlowDown"},
      {"an empty 200", Ok(""), "unavailable MalformedAnswer"},
      {"too many requests: no more uploads", Says(HttpText(503, {}, ErrorXml("SlowDown"))),
       "throttled SlowDown"},
      {"cut", CutBody("close", "", "<InitiateMultipartUploadResult><UploadId>a"),
       "unavailable MalformedAnswer"},
  };
  Check(cases, Create);
}

TEST(OddListParts, HoldsNumbersThatAreNumbers) {
  const auto part = [](const std::string& number) {
    return Ok("<ListPartsResult><IsTruncated>false</IsTruncated><Part><PartNumber>" + number +
              "</PartNumber><ETag>e</ETag><Size>1</Size></Part></ListPartsResult>");
  };
  const OddAnswer cases[] = {
      {"as it should be", part("3"), "none"},
      {"no number", part(""), "corrupt"},
      {"below zero", part("-1"), "corrupt"},
      {"zero", part("0"), "corrupt"},
      {"larger than any", part("99999999999"), "corrupt"},
      {"cut", CutBody("close", "", "<ListPartsResult><IsTruncated>false</IsTruncated>"),
       "unavailable MalformedAnswer"},
  };
  Check(cases, ListParts);
}

}  // namespace
}  // namespace ferry
