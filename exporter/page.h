// The status page: one HTML document, the same for every reader. Its style and script stand in it,
// and nothing else is loaded; what it shows it asks of status.json and objects.json, beside itself.
#pragma once

#include <memory>
#include <string>

#include "exporter/http.h"

namespace ferry::exporter {

struct Page {
  std::shared_ptr<const Body> html;
  // Lets run what is in the page, by its digest, and nothing that a key or an error text might
  // bring.
  std::string content_security_policy;
};

Page MakePage();

}  // namespace ferry::exporter
