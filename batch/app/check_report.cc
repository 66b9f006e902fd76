#include "batch/app/check_report.h"

#include <fmt/format.h>

#include "batch/app/status_text.h"
#include "batch/base/human.h"

namespace ferry {

void CheckReport::Ok(std::string_view what, std::string_view text) { Print("ok", what, text); }
void CheckReport::Note(std::string_view what, std::string_view text) { Print("note", what, text); }

void CheckReport::Fail(std::string_view what, std::string_view text) {
  failed_ = true;
  Print("FAIL", what, text);
}

void CheckReport::Print(std::string_view mark, std::string_view what, std::string_view text) const {
  PrintLine(fmt::format("{:<4}  {}: {}: {}", mark, subject_, what, OneLine(text)));
  FlushLines();  // a check may take long; who waits sees how far it is
}

}  // namespace ferry
