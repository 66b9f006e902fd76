// CopyFixture for objects that are brought in parts of kPart.
#pragma once

#include <optional>
#include <string>

#include "tests/copy/copy_fixture.h"

namespace ferry {

inline constexpr std::uint64_t kPart = 100'000;

class MultipartFixture : public CopyFixture {
 protected:
  OpenUpload Open(const ObjectToCopy& object, std::optional<OpenUpload> known = {}) {
    SplitOptions options;
    options.part_bytes = kPart;
    options.open = std::move(known);
    options.nonce = nonce_;
    return Await([&] { return OpenOrResume(ends(), object, options, settlement_); });
  }
  DonePart SendPart(const ObjectToCopy& object, const OpenUpload& upload, const Part& part) {
    const PartToCopy one{upload.upload_id, part};
    return Await([&] { return CopyPart(ends(), object, one, kRing, traffic_); });
  }
  // Opens and sends all parts.
  OpenUpload SendAll(const ObjectToCopy& object) {
    OpenUpload upload = Open(object);
    for (const Part& part : PlanParts(object.source.size_bytes, upload.part_bytes)) {
      upload.parts.push_back(SendPart(object, upload, part));
    }
    return upload;
  }
  Copied Finish(const ObjectToCopy& object, const OpenUpload& upload) {
    return Await([&] { return Complete(ends(), object, upload, traffic_); });
  }
  std::string FailFinish(const ObjectToCopy& object, const OpenUpload& upload) {
    return Failure([&] { return Complete(ends(), object, upload, traffic_); });
  }

  std::string ProofOf(const ObjectToCopy& object, const OpenUpload& upload) {
    return Finish(object, upload).proof;
  }
  // Sends the first part of an upload to a destination that stores other bytes from now on.
  std::string FailSpoiltPart(const ObjectToCopy& object) {
    const OpenUpload upload = Open(object);
    destination_.spoils_writes = true;
    const PartToCopy first{upload.upload_id, {1, 0, kPart}};
    return Failure([&] { return CopyPart(ends(), object, first, kRing, traffic_); });
  }

  const std::string bytes_ = Bytes(3 * kPart + 77);
  std::string nonce_;
  Settlement settlement_;
};

}  // namespace ferry
