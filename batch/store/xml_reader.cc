#include "batch/store/xml_reader.h"

#include <expat.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>

#include "batch/base/check.h"
#include "batch/base/error.h"

namespace ferry {
namespace {

struct FreeParser {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};
using ParserPtr = std::unique_ptr<std::remove_pointer_t<XML_Parser>, FreeParser>;

std::string_view WithoutPrefix(std::string_view name) {
  return name.substr(name.rfind(':') + 1);  // npos + 1 is 0
}

class Walk {
 public:
  Walk(XML_Parser parser, XmlVisitor& visitor) : parser_(parser), visitor_(visitor) {
    XML_SetUserData(parser_, this);
    XML_SetElementHandler(parser_, &Walk::OnStart, &Walk::OnEnd);
    XML_SetCharacterDataHandler(parser_, &Walk::OnText);
    XML_SetStartDoctypeDeclHandler(parser_, &Walk::OnDoctype);
  }

  void Run(std::string_view body) {
    const XML_Status status =
        XML_Parse(parser_, body.data(), static_cast<int>(body.size()), XML_TRUE);
    if (thrown_) std::rethrow_exception(thrown_);
    if (status == XML_STATUS_OK) return;
    throw Error(ErrorKind::kUnavailable,
                std::string("the answer is not well-formed XML: ") +
                    XML_ErrorString(XML_GetErrorCode(parser_)) + " in line " +
                    std::to_string(XML_GetCurrentLineNumber(parser_)),
                std::string(kMalformedAnswer));
  }

 private:
  // No exception may pass through the C code of expat: it is kept until XML_Parse returns.
  template <typename Step>
  static void Guard(void* self, Step step) {
    Walk& walk = *static_cast<Walk*>(self);
    if (walk.thrown_) return;
    try {
      step(walk);
    } catch (...) {
      walk.thrown_ = std::current_exception();
      XML_StopParser(walk.parser_, XML_FALSE);
    }
  }

  static void OnStart(void* self, const XML_Char* name, const XML_Char**) {
    Guard(self, [name](Walk& walk) {
      walk.text_.clear();
      if (++walk.depth_ > kXmlDepthMax) {
        throw Error(ErrorKind::kCorrupt, "the answer is nested too deeply");
      }
      walk.visitor_.OnStart(walk.depth_, WithoutPrefix(name));
    });
  }

  static void OnEnd(void* self, const XML_Char* name) {
    Guard(self, [name](Walk& walk) {
      walk.visitor_.OnEnd(walk.depth_, WithoutPrefix(name), walk.text_);
      walk.text_.clear();
      --walk.depth_;
    });
  }

  static void OnText(void* self, const XML_Char* text, int length) {
    Guard(self, [text, length](Walk& walk) {
      walk.text_.append(text, static_cast<std::size_t>(length));
      if (walk.text_.size() > kXmlTextBytesMax) {
        throw Error(ErrorKind::kCorrupt, "the answer holds a text that is too long");
      }
    });
  }

  static void OnDoctype(void* self, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    Guard(self, [](Walk&) {
      throw Error(ErrorKind::kCorrupt, "the answer holds a document type declaration");
    });
  }

  XML_Parser parser_;
  XmlVisitor& visitor_;
  std::size_t depth_ = 0;
  std::string text_;
  std::exception_ptr thrown_;
};

}  // namespace

void WalkXml(std::string_view body, XmlVisitor& visitor) {
  if (body.size() > kXmlBytesMax) throw Error(ErrorKind::kCorrupt, "the answer is too large");
  // Complete sends white space while it works, before or after the XML declaration; expat takes
  // it only after.
  body.remove_prefix(std::min(body.find_first_not_of(" \t\r\n"), body.size()));

  const ParserPtr parser(XML_ParserCreate(nullptr));
  FERRY_CHECK(parser != nullptr);
  Walk(parser.get(), visitor).Run(body);
}

}  // namespace ferry
