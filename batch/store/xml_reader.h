// Walks through one XML document, element by element, over expat. Knows nothing of S3.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ferry {

// Bounds of one document. Real answers are far below: 1,000 keys of 1,024 escaped bytes are 4 MiB.
inline constexpr std::size_t kXmlBytesMax = 16 * 1024 * 1024;
inline constexpr std::size_t kXmlDepthMax = 32;
inline constexpr std::size_t kXmlTextBytesMax = 64 * 1024;
inline constexpr std::string_view kMalformedAnswer = "MalformedAnswer";  // Error::code()

// Gets the elements of a document in order; the root has depth 1. Names come without a namespace
// prefix. What a function throws ends the walk and is thrown by WalkXml.
class XmlVisitor {
 public:
  virtual ~XmlVisitor() = default;

  virtual void OnStart(std::size_t depth, std::string_view name) = 0;

  // `text`: what stood in the element, entities resolved; for an element with children only what
  // stood behind the last of them.
  virtual void OnEnd(std::size_t depth, std::string_view name, std::string_view text) = 0;
};

// Leading white space is skipped. Throws Error{kUnavailable, code kMalformedAnswer} for what is not
// a whole well-formed document, Error{kCorrupt} beyond a bound, and for a document type
// declaration: without one there are no entities to expand, and no S3 answer has one.
void WalkXml(std::string_view body, XmlVisitor& visitor);

}  // namespace ferry
