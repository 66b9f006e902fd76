// Listings as no healthy server answers them. A plan is made of whole listings in key order: each
// row ends in all the keys or in an error, never in some of the keys.
#include <gtest/gtest.h>

#include "batch/listing/listing_stream.h"
#include "tests/support/odd_store.h"

namespace ferry {
namespace {

using test::CutBody;
using test::ErrorXml;
using test::HttpText;
using test::OddStore;
using test::Says;
using test::ScriptedAnswer;

std::string Object(const std::string& key) {
  return "<Contents><Key>" + key + "</Key><Size>1</Size><ETag>\"e\"</ETag></Contents>";
}

// `inner` stands beside IsTruncated.
std::string Page(bool truncated, const std::string& inner) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "
         "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>bucket</Name><IsTruncated>" +
         std::string(truncated ? "true" : "false") + "</IsTruncated>" + inner +
         "</ListBucketResult>";
}
std::string Token(const std::string& token) {
  return "<KeyCount>1</KeyCount><NextContinuationToken>" + token + "</NextContinuationToken>";
}
ScriptedAnswer Ok(const std::string& body) {
  return Says(HttpText(200, {{"Content-Type", "application/xml"}}, body));
}

// All keys below "p/", one after another with a space, or how it failed.
std::string ListAll(OddStore& odd) {
  std::string keys;
  const auto error = test::ErrorOf([&] {
    ListingStream stream({{odd.runner.loop(), odd.store}}, "p/", "far:bucket");
    while (const ListedEntry* entry = stream.Peek()) {
      keys += (keys.empty() ? "" : " ") + entry->key.bytes();
      stream.Next();
    }
  });
  if (!error) return keys;
  const std::string kind(ToString(error->kind()));
  return error->code().empty() ? kind : kind + " " + error->code();
}

TEST(OddListing, EndsInAllItsKeysOrInAnError) {
  struct {
    const char* fact;
    std::vector<ScriptedAnswer> answers;
    const char* end;
  } const cases[] = {
      {"a 200 may hold an error", {Ok(ErrorXml("InternalError"))}, "unavailable InternalError"},
      {"a 200 may say that it is too much", {Ok(ErrorXml("SlowDown"))}, "throttled SlowDown"},
      {"a 200 may refuse", {Ok(ErrorXml("AccessDenied"))}, "denied AccessDenied"},
      {"a 200 may hold an error nobody knows", {Ok(ErrorXml("Odd"))}, "unavailable Odd"},
      {"an error may come after white space",
       {Ok("\n \n" + ErrorXml("SlowDown"))},
       "throttled SlowDown"},
      {"a 200 may be empty", {Ok("")}, "unavailable MalformedAnswer"},
      {"a proxy answers with a web page",
       {Says(HttpText(200, {{"Content-Type", "text/html"}}, "<html><body>Hi</body></html>"))},
       "invalid"},
      {"a proxy answers with JSON", {Ok("{\"ok\": true}")}, "unavailable MalformedAnswer"},
      {"another answer than was asked for",
       {Ok("<ListAllMyBucketsResult/>")},
       "unavailable MalformedAnswer"},
      {"white space before the XML declaration", {Ok(" \r\n\t" + Page(false, Object("p/a")))}, "a"},
      {"no namespace",
       {Ok("<ListBucketResult><IsTruncated>false</IsTruncated>" + Object("p/a") +
           "</ListBucketResult>")},
       "a"},
      {"elements that are new",
       {Ok(Page(false,
                "<New><Er>x</Er></New>" + Object("p/a") + "<ChecksumType>F</ChecksumType>"))},
       "a"},
      {"no word on whether it goes on",
       {Ok("<ListBucketResult>" + Object("p/a") + "</ListBucketResult>")},
       "corrupt"},
      {"a word that is neither true nor false",
       {Ok("<ListBucketResult><IsTruncated>maybe</IsTruncated></ListBucketResult>")},
       "corrupt"},
      {"it goes on without a token",
       {Ok(Page(true, "<KeyCount>1</KeyCount>" + Object("p/a")))},
       "corrupt"},
      {"it goes on with an empty token", {Ok(Page(true, Object("p/a") + Token("")))}, "corrupt"},
      {"the token of the page before",
       {Ok(Page(true, Object("p/a") + Token("t"))), Ok(Page(true, Object("p/b") + Token("t")))},
       "corrupt"},
      {"a page without keys that goes on",
       {Ok(Page(true, Token("t"))), Ok(Page(false, Object("p/a")))},
       "a"},
      {"an answer of V1 to V2 goes on by its last key",
       {Ok(Page(true, "<Marker/>" + Object("p/a") + Object("p/b"))),
        Ok(Page(false, "<Marker>p/b</Marker>" + Object("p/c")))},
       "a b c"},
      {"an answer of V1 that repeats itself",
       {Ok(Page(true, "<Marker/>" + Object("p/a"))), Ok(Page(true, "<Marker/>" + Object("p/a"))),
        Ok(Page(true, "<Marker/>" + Object("p/a")))},
       "corrupt"},
      {"an answer of V1 without keys that goes on", {Ok(Page(true, "<Marker/>"))}, "corrupt"},
      {"keys out of order in a page", {Ok(Page(false, Object("p/b") + Object("p/a")))}, "corrupt"},
      {"keys out of order between pages",
       {Ok(Page(true, Object("p/b") + Token("t"))), Ok(Page(false, Object("p/a"))),
        Ok(Page(false, Object("p/a")))},
       "corrupt"},
      {"a key to begin after may not be heeded, a token is",
       {Ok(Page(true, Object("p/a") + Token("t"))), Ok(Page(true, Object("p/a") + Token("t"))),
        Ok(Page(false, Object("p/b")))},
       "a b"},
      {"a key twice", {Ok(Page(false, Object("p/a") + Object("p/a")))}, "corrupt"},
      {"a key outside of the prefix", {Ok(Page(false, Object("q/a")))}, "corrupt"},
      {"the order is that of bytes, not of a language",
       {Ok(Page(false, Object("p/Z") + Object("p/a!") + Object("p/a0") + Object("p/\xC3\xA9")))},
       "Z a! a0 \xC3\xA9"},
      {"names are decoded where the answer says so",
       {Ok(Page(false, "<EncodingType>url</EncodingType>" + Object("p/a+b%2Bc%20d")))},
       "a b+c d"},
      {"names are not decoded where it does not",
       {Ok(Page(false, Object("p/a%20b+c")))},
       "a%20b+c"},
      {"a bad escape",
       {Ok(Page(false, "<EncodingType>url</EncodingType>" + Object("p/%zz")))},
       "corrupt"},
      {"a control character", {Ok(Page(false, Object("p/\x01")))}, "unavailable MalformedAnswer"},
      {"a size that is none",
       {Ok(Page(false, "<Contents><Key>p/a</Key><Size>-1</Size></Contents>"))},
       "corrupt"},
      {"an object without a size",
       {Ok(Page(false, "<Contents><Key>p/a</Key></Contents>"))},
       "corrupt"},
      {"XML that ends in the middle",
       {Ok(Page(false, Object("p/a")).substr(0, 190))},
       "unavailable MalformedAnswer"},
      {"an entity that grows",
       {Ok("<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\">]>" + Page(false, Object("p/&a;")))},
       "corrupt"},
      {"an empty 500", {Says(HttpText(500))}, "unavailable"},
      {"an empty 503", {Says(HttpText(503))}, "throttled"},
  };
  for (const auto& c : cases) {
    OddStore odd(c.answers);
    EXPECT_EQ(ListAll(odd), c.end) << c.fact;
    EXPECT_EQ(odd.server.seen(), c.answers.size()) << c.fact;
  }
}

TEST(OddListing, ThatIsCutIsNeverAShortOne) {
  const std::string whole = Page(false, Object("p/a") + Object("p/b"));
  const std::string cuts[] = {whole.substr(0, whole.size() - 5),
                              whole.substr(0, whole.find("<Contents>", 200)), ""};
  for (const char* way : {"length", "chunks", "close"}) {
    for (const std::string& body : cuts) {
      OddStore odd({CutBody(way, "", body)});
      EXPECT_EQ(ListAll(odd).substr(0, 11), "unavailable") << way << " " << body.size();
    }
  }
}

TEST(OddListing, WhoseTokensGoRoundIsGivenUp) {
  std::vector<ScriptedAnswer> answers;
  for (int round = 0; round < 4; ++round) {
    for (const char* token : {"a", "b", "c"}) answers.push_back(Ok(Page(true, Token(token))));
  }
  OddStore odd(answers);
  EXPECT_EQ(ListAll(odd), "corrupt");
}

TEST(OddListing, ThatNeverEndsIsGivenUp) {
  OddStore odd;
  std::string body = Page(false, "");
  body.insert(body.find("<Name>"), std::string(20 << 20, ' '));
  odd.server.Answer({.bytes = HttpText(200, {}, body), .then = ScriptedAnswer::Then::kClose});
  EXPECT_EQ(ListAll(odd), "corrupt");
}

TEST(OddListing, OfTheOldKindIsAskedOnWithItsDecodedMarker) {
  OddStore odd({Ok(Page(true,
                        "<Marker/><NextMarker>p/a%20%2Bb</NextMarker>"
                        "<EncodingType>url</EncodingType>" +
                            Object("p/a%20%2Bb"))),
                Ok(Page(false, "<Marker/>" + Object("p/c")))});
  EXPECT_EQ(ListAll(odd), "a +b c");
  odd.server.Take();
  const std::string second = odd.server.Take().target;
  EXPECT_NE(second.find("marker=p%2Fa%20%2Bb"), std::string::npos) << second;
  EXPECT_EQ(second.find("list-type"), std::string::npos) << second;
}

}  // namespace
}  // namespace ferry
