// Two fake stores on one loop, and providers whose habits a test may change.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "batch/base/digest.h"
#include "batch/copy/body_proof.h"
#include "batch/copy/object_copy.h"
#include "tests/support/fake_store.h"
#include "tests/support/loop_runner.h"

namespace ferry {

class CopyFixture : public testing::Test {
 protected:
  using Moment = test::FakeStore::Moment;

  CopyFixture() {
    for (Provider* provider : {&source_provider_, &destination_provider_}) {
      provider->etag = EtagHabit::kMd5;
      provider->limits.part_bytes_min = 1;
    }
  }
  ~CopyFixture() override { runner_.Stop(); }

  Ends ends() {
    Ends ends{runner_.loop(), source_, destination_, source_provider_, destination_provider_};
    ends.checksums = &answers_;
    if (rules_.demands_checksum) ends.rules = &rules_;
    return ends;
  }
  // As a task does whose `checksum:` names it.
  void DemandChecksum(DigestKind kind) {
    DestinationKeepsChecksums(kind);
    rules_.demands_checksum = true;
  }
  void DestinationKeepsChecksums(DigestKind kind) {
    destination_provider_.checksum = kind;
    destination_.checksum = kind;
  }
  // Adds "s/NAME" to the source; "d/NAME" is where it goes.
  ObjectToCopy Add(const std::string& name, std::string bytes) {
    const test::StoredObject& object = source_.Add("s/" + name, std::move(bytes));
    return {Key("s/" + name),
            Key("d/" + name),
            {object.etag, object.bytes.size(), object.modified_ms, ""}};
  }
  static std::string Bytes(std::size_t size) {
    std::string bytes(size, '\0');
    std::uint32_t x = 1;
    for (char& c : bytes) c = static_cast<char>((x = x * 1664525U + 1013904223U) >> 24);
    return bytes;
  }
  test::StoredObject* At(const std::string& key) {
    const auto found = destination_.objects().find(Key(key));
    return found == destination_.objects().end() ? nullptr : &found->second;
  }

  template <typename Make>
  auto Await(Make make) {
    return runner_.Await(std::move(make));
  }
  // "source:not_found", "none".
  template <typename Make>
  std::string Failure(Make make) {
    try {
      Await(std::move(make));
      return "none";
    } catch (const SideError& error) {
      return std::string(error.side() == Side::kSource ? "source:" : "destination:") +
             std::string(ToString(error.kind()));
    } catch (const Error& error) {
      return "nobody:" + std::string(ToString(error.kind()));
    }
  }
  Copied Whole(const ObjectToCopy& object) {
    return Await([&] { return CopyWhole(ends(), object, kRing, traffic_); });
  }
  std::string FailWhole(const ObjectToCopy& object) {
    return Failure([&] { return CopyWhole(ends(), object, kRing, traffic_); });
  }

  static constexpr std::size_t kRing = 64 << 10;
  static constexpr std::size_t kLarge = (1 << 20) + 12'345;  // flows through the ring

  test::LoopRunner runner_;
  test::FakeStore source_{runner_.loop()};
  test::FakeStore destination_{runner_.loop()};
  Provider source_provider_ = FindProvider("s3");
  Provider destination_provider_ = FindProvider("s3");
  ChecksumAnswers answers_{"far:bucket"};
  WriteRules rules_;
  Traffic traffic_;
};

}  // namespace ferry
