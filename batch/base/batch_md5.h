// BatchMd5: the MD5 of a body that passes beside others. Those of one thread are made together, as
// many at once as the processor's vectors have places (md5_blocks.h): a body leaves its bytes here,
// and when there is no more room for them, a stretch of all is taken at once.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace ferry {

// Belongs to the thread that made it.
class BatchMd5 {
 public:
  BatchMd5();
  ~BatchMd5();
  BatchMd5(BatchMd5&&) noexcept;
  BatchMd5& operator=(BatchMd5&&) noexcept;

  void Update(std::string_view bytes);
  // 16 bytes. Nothing may be added afterwards.
  std::string Finish();

 private:
  struct Body;
  class Bodies;  // of one thread
  static void TakeAlone(Body& body, std::string_view bytes);
  std::unique_ptr<Body> body_;
};

}  // namespace ferry
