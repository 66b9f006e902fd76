// The exporter, wired together.
#pragma once

namespace ferry::exporter {

// Exit codes: 0 stopped as asked; 2 bad usage or configuration; 3 cannot listen.
int RunExporter(int argc, const char* const* argv);

}  // namespace ferry::exporter
