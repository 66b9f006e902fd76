// The text of the files in exporter/page, embedded at build time.
#pragma once

#include <string_view>

namespace ferry::exporter {

struct PageFiles {
  std::string_view html;  // with {{style}} and {{script}} in it
  std::string_view style;
  std::string_view script;  // of all .js files
};

PageFiles EmbeddedPageFiles();

}  // namespace ferry::exporter
