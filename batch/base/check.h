// FERRY_CHECK states what must be true if this program is correct.
// It stays on in release builds: a wrong invariant may not reach a bucket.
#pragma once

#include <cstdio>
#include <cstdlib>

#define FERRY_CHECK(condition)                                                               \
  ((condition)                                                                               \
       ? static_cast<void>(0)                                                                \
       : (std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition), \
          std::abort()))
