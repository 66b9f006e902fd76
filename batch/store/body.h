// Bodies that flow: what a request pulls from (BodySource) and pushes into (BodySink), and Ring,
// which joins the two ends of one copy with bounded memory.
//
// Everything here lives on one loop's thread. "Later" means: nothing can be moved now, and the
// other end calls the registered wake-up when that changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace ferry {

class BodySource {
 public:
  virtual ~BodySource() = default;

  enum class Supply { kSome, kLater, kEnd, kFailed };
  struct Piece {
    Supply state;
    std::size_t bytes;  // > 0 for kSome
  };

  // Moves at most `size` bytes to `to`.
  virtual Piece Pull(char* to, std::size_t size) = 0;
  virtual void WakeReaderBy(std::function<void()> wake) = 0;
};

class BodySink {
 public:
  virtual ~BodySink() = default;

  enum class Demand { kTaken, kLater, kRefused };

  // All of `bytes` or nothing.
  virtual Demand Push(std::string_view bytes) = 0;
  virtual void WakeWriterBy(std::function<void()> wake) = 0;
};

// A ring of fixed capacity. The writer finishes with Close or Fail; either end may give up.
class Ring final : public BodySource, public BodySink {
 public:
  // `watch` sees each pushed byte once, in order: digests are made on the way.
  Ring(std::size_t capacity_bytes, std::function<void(std::string_view)> watch);

  Piece Pull(char* to, std::size_t size) override;
  Demand Push(std::string_view bytes) override;
  void WakeReaderBy(std::function<void()> wake) override { wake_reader_ = std::move(wake); }
  void WakeWriterBy(std::function<void()> wake) override { wake_writer_ = std::move(wake); }

  void Close();   // no more bytes will come
  void Fail();    // the reader's request must fail: there will be no whole body
  void Refuse();  // the reader has gone: the writer's request may end

  std::uint64_t pushed_bytes() const { return pushed_; }

 private:
  const std::size_t capacity_;
  const std::function<void(std::string_view)> watch_;
  std::unique_ptr<char[]> buffer_;  // at the first push
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
  std::uint64_t pushed_ = 0;
  bool closed_ = false;
  bool failed_ = false;
  bool refused_ = false;
  bool writer_waits_ = false;
  bool reader_waits_ = false;
  std::function<void()> wake_reader_;
  std::function<void()> wake_writer_;
};

// Takes a whole body into memory, at most `bytes_max`.
class MemorySink final : public BodySink {
 public:
  explicit MemorySink(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  Demand Push(std::string_view bytes) override;
  void WakeWriterBy(std::function<void()>) override {}
  std::string& body() { return body_; }

 private:
  const std::size_t bytes_max_;
  std::string body_;
};

// Passes on a body that has so many bytes. Throws Error{kCorrupt} at the first byte too many.
class ExactSink final : public BodySink {
 public:
  ExactSink(BodySink& inner, std::uint64_t bytes) : inner_(inner), missing_(bytes) {}
  Demand Push(std::string_view bytes) override;
  void WakeWriterBy(std::function<void()> wake) override { inner_.WakeWriterBy(std::move(wake)); }
  std::uint64_t missing_bytes() const { return missing_; }

 private:
  BodySink& inner_;
  std::uint64_t missing_;
};

// Looks at a body and keeps nothing of it.
class WatchingSink final : public BodySink {
 public:
  explicit WatchingSink(std::function<void(std::string_view)> watch) : watch_(std::move(watch)) {}
  Demand Push(std::string_view bytes) override {
    watch_(bytes);
    return Demand::kTaken;
  }
  void WakeWriterBy(std::function<void()>) override {}

 private:
  const std::function<void(std::string_view)> watch_;
};

}  // namespace ferry
