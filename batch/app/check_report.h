// CheckReport: one line for each thing that `check` tried, and whether something needed failed.
#pragma once

#include <string_view>

namespace ferry {

class CheckReport {
 public:
  // `subject`: the task's name, or "host".
  explicit CheckReport(std::string_view subject) : subject_(subject) {}

  void Ok(std::string_view what, std::string_view text);
  void Fail(std::string_view what, std::string_view text);
  // Worth knowing, and a run succeeds without it.
  void Note(std::string_view what, std::string_view text);

  bool failed() const { return failed_; }

 private:
  void Print(std::string_view mark, std::string_view what, std::string_view text) const;

  const std::string_view subject_;
  bool failed_ = false;
};

}  // namespace ferry
