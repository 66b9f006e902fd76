// That the short way shows what the parser shows is what tests/fuzz/s3_xml_fuzz.cc looks for; here
// is which answers may go it.
#include "batch/store/plain_xml.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "batch/base/error.h"

namespace ferry {
namespace {

class Recorder final : public XmlVisitor {
 public:
  std::vector<std::string> ends;
  void OnStart(std::size_t, std::string_view) override {}
  void OnEnd(std::size_t, std::string_view name, std::string_view text) override {
    ends.push_back(std::string(name) + "=" + std::string(text));
  }
};

std::vector<std::string> EndsOf(const std::string& body) {
  Recorder recorder;
  EXPECT_TRUE(WalkPlainXml(body, recorder)) << body;
  return recorder.ends;
}

bool IsPlain(const std::string& body) {
  Recorder recorder;
  return WalkPlainXml(body, recorder);
}

using Ends = std::vector<std::string>;

TEST(PlainXml, WhatStoresWriteIsPlain) {
  EXPECT_EQ(
      EndsOf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<L xmlns=\"http://s3/doc/2006-03-01/\">"
             "<Contents><Key>a b%2Fc</Key><ETag>&quot;0f&quot;</ETag></Contents><Prefix/>\n</L>\n"),
      (Ends{"Key=a b%2Fc", "ETag=\"0f\"", "Contents=", "Prefix=", "L=\n"}));
}

TEST(PlainXml, EntitiesAreResolvedOnce) {
  EXPECT_EQ(EndsOf("<A><B>&amp;lt;&#34;&lt;&gt;&apos;&#39;</B></A>"), (Ends{"B=&lt;\"<>''", "A="}));
}

TEST(PlainXml, WhatNeedsAParserIsLeftToIt) {
  for (const char* body :
       {"<A><B c='d'>e</B></A>", "<A><!-- no --><B>e</B></A>", "<A><B><![CDATA[e]]></B></A>",
        "<A><B>\xc3\xa9</B></A>", "<A><B>&#233;</B></A>", "<A><B>a\r\nb</B></A>", "<s:A></s:A>",
        "<!DOCTYPE A><A></A>", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><A></A>",
        "<A><B>a]b</B></A>"}) {
    EXPECT_FALSE(IsPlain(body)) << body;
  }
}

TEST(PlainXml, WhatIsNotWellFormedIsNotPlain) {
  for (const char* body :
       {"", "<", "<A>", "<A", "<A></B>", "<A></A><B></B>", "<A></A>x", "x<A></A>", "<A>&</A>",
        "<A>&nbsp;</A>", "<A xmlns=\"a<b\"></A>", "<A xmlns=\"a></A>", "<1A></1A>", "</A>",
        "<A><B></A></B>", "<A>\x01</A>", "<A></ A>"}) {
    EXPECT_FALSE(IsPlain(body)) << body;
  }
  EXPECT_FALSE(IsPlain(std::string("<A>\0</A>", 8)));
}

TEST(PlainXml, BoundsAreThoseOfTheParser) {
  std::string deep;
  std::string closed;
  for (std::size_t i = 0; i < kXmlDepthMax; ++i) {
    deep += "<A>";
    closed += "</A>";
  }
  EXPECT_TRUE(IsPlain(deep + closed));
  EXPECT_FALSE(IsPlain("<A>" + deep + closed + "</A>"));
  EXPECT_TRUE(IsPlain("<A>" + std::string(kXmlTextBytesMax, 'x') + "</A>"));
  EXPECT_FALSE(IsPlain("<A>" + std::string(kXmlTextBytesMax + 1, 'x') + "</A>"));
}

TEST(PlainXml, AByteThatIsNotPlainIsFoundWhereverItStands) {
  const std::string body = "<A><B>0123456789</B><C>0123456789</C></A>";
  ASSERT_TRUE(IsPlain(body));
  for (std::size_t at = 0; at < body.size(); ++at) {
    for (const char c : {'\x01', '\x7f', '\x80', '\xff', ']', '\r'}) {
      std::string spoiled = body;
      spoiled[at] = c;
      EXPECT_FALSE(IsPlain(spoiled)) << at;
    }
  }
}

TEST(PlainXml, WhatAVisitorThrowsComesThrough) {
  class Thrower final : public XmlVisitor {
    void OnStart(std::size_t, std::string_view) override { throw Error(ErrorKind::kCorrupt, "no"); }
    void OnEnd(std::size_t, std::string_view, std::string_view) override {}
  } thrower;
  EXPECT_THROW(WalkPlainXml("<A></A>", thrower), Error);
}

}  // namespace
}  // namespace ferry
