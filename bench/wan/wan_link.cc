// A long link between two network namespaces: a TUN device in each, and this program between them,
// which delays, drops and paces the packets that go from one to the other. TCP stays the kernel's.
//
//   wan_link --near NAMESPACE --far NAMESPACE [--rtt-ms 200] [--rate-mbit 400] [--loss 0.005]
//            [--queue-bytes Q] [--seed S]
//
// Creates the device `wan` in both namespaces (as `ip netns` names them) and prints "ready". Rate,
// loss and queue are those of each direction; Q is what the link holds in a round trip unless
// given. Ends with SIGINT or SIGTERM, and then prints what it did as one line of JSON.
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <system_error>

#include "bench/wan/bottleneck.h"
#include "bench/wan/packet_ring.h"
#include "bench/wan/tun_device.h"

namespace ferry::bench {
namespace {

constexpr std::size_t kPacketBytesMax = 1500;
// While packets come, all of this time are handled at once: waking up for each would cost more
// than the packets do. A packet waits half of it at each end, on the average.
constexpr Nanoseconds kTick = std::chrono::microseconds(500);

volatile sig_atomic_t stopped = 0;

Nanoseconds Now() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::chrono::seconds(now.tv_sec) + Nanoseconds(now.tv_nsec);
}

timespec ToTimespec(Nanoseconds time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((time - seconds).count())};
}

std::size_t RingBytes(const LinkOptions& options) {
  const double seconds = std::chrono::duration<double>(options.delay + 2 * kTick).count();
  return options.queue_bytes +
         static_cast<std::size_t>(static_cast<double>(options.bits_per_second) / 8 * seconds);
}

// One way across the link.
class Lane {
 public:
  Lane(TunDevice& from, TunDevice& to, const LinkOptions& options)
      : from_(from), to_(to), bottleneck_(options), ring_(RingBytes(options), kPacketBytesMax) {}

  // Takes what has come; false: nothing had.
  bool Take() {
    const Nanoseconds now = Now();
    bool any = false;
    std::array<std::byte, kPacketBytesMax> nowhere;
    while (true) {
      const std::span<std::byte> room = ring_.Room();
      const std::size_t bytes = from_.Read(room.empty() ? nowhere : room);
      if (bytes == 0) return any;
      any = true;
      if (room.empty()) {
        ++ring_full_;
      } else if (const auto due = bottleneck_.Pass(now, bytes)) {
        ring_.Push(bytes, *due);
      }
    }
  }

  void Deliver() {
    const Nanoseconds now = Now();
    while (!ring_.Empty() && ring_.Front().due <= now) {
      if (!to_.Write(ring_.Front().bytes)) ++refused_;
      ring_.Pop();
    }
  }

  // When Deliver() has something to do; never: the greatest there is.
  Nanoseconds Due() const { return ring_.Empty() ? Nanoseconds::max() : ring_.Front().due; }

  void Print(const char* name) const {
    const Bottleneck::Counts& counts = bottleneck_.counts();
    std::printf(
        "\"%s\": {\"packets\": %llu, \"bytes\": %llu, \"lost\": %llu, \"dropped\": %llu, "
        "\"ring_full\": %llu, \"refused\": %llu}, ",
        name, static_cast<unsigned long long>(counts.packets),
        static_cast<unsigned long long>(counts.bytes), static_cast<unsigned long long>(counts.lost),
        static_cast<unsigned long long>(counts.dropped),
        static_cast<unsigned long long>(ring_full_), static_cast<unsigned long long>(refused_));
  }

 private:
  TunDevice& from_;
  TunDevice& to_;
  Bottleneck bottleneck_;
  PacketRing ring_;
  std::uint64_t ring_full_ = 0;
  std::uint64_t refused_ = 0;  // by the kernel: the device is down
};

// Until a packet comes or is due, and not for long: a signal may come just before.
void Await(const TunDevice& near, const TunDevice& far, Nanoseconds due) {
  pollfd readable[2] = {{near.fd(), POLLIN, 0}, {far.fd(), POLLIN, 0}};
  const Nanoseconds longest = std::chrono::seconds(1);
  const timespec timeout = ToTimespec(std::clamp(due - Now(), Nanoseconds(0), longest));
  ::ppoll(readable, 2, &timeout, nullptr);
}

void Carry(TunDevice& near, TunDevice& far, Lane& there, Lane& back) {
  while (!stopped) {
    const Nanoseconds began = Now();
    const bool any = there.Take() | back.Take();
    there.Deliver();
    back.Deliver();
    if (any) {
      const timespec next = ToTimespec(began + kTick);
      ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, nullptr);
    } else {
      Await(near, far, std::min(there.Due(), back.Due()));
    }
  }
}

void PrintCpu() {
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  std::printf("\"cpu_seconds\": %.3f}\n", seconds(usage.ru_utime) + seconds(usage.ru_stime));
}

struct Options {
  std::string near, far;
  LinkOptions link;
};

int Usage() {
  std::fprintf(stderr,
               "usage: wan_link --near NAMESPACE --far NAMESPACE [--rtt-ms 200] [--rate-mbit 400] "
               "[--loss 0.005] [--queue-bytes Q] [--seed S]\n");
  return 2;
}

bool ParseNumber(const std::string& text, double& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() && number >= 0;
}

bool ParseOptions(int argc, char** argv, Options& options) {
  std::map<std::string, double> numbers = {{"--rtt-ms", 200},
                                           {"--rate-mbit", 400},
                                           {"--loss", 0.005},
                                           {"--queue-bytes", 0},
                                           {"--seed", 1}};
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) return false;
    const std::string name = argv[i];
    const auto number = numbers.find(name);
    if (name == "--near") {
      options.near = argv[i + 1];
    } else if (name == "--far") {
      options.far = argv[i + 1];
    } else if (number == numbers.end() || !ParseNumber(argv[i + 1], number->second)) {
      return false;
    }
  }
  // A minute, and a hundred Gbit/s: what is beyond is a slip, and its memory would be as well.
  if (options.near.empty() || options.far.empty() || numbers["--loss"] >= 1 ||
      numbers["--rtt-ms"] > 60'000 || numbers["--rate-mbit"] < 0.001 ||
      numbers["--rate-mbit"] > 100'000 || numbers["--queue-bytes"] > 1e9) {
    return false;
  }
  const double in_a_round_trip = numbers["--rate-mbit"] * 1e6 / 8 * numbers["--rtt-ms"] / 1e3;
  const double queue = numbers["--queue-bytes"];
  const auto one_way = Nanoseconds(static_cast<std::int64_t>(numbers["--rtt-ms"] * 1e6 / 2));
  options.link.delay = std::max(Nanoseconds(0), one_way - kTick);
  options.link.loss = numbers["--loss"];
  options.link.bits_per_second = static_cast<std::uint64_t>(numbers["--rate-mbit"] * 1e6);
  options.link.queue_bytes =
      std::max(static_cast<std::uint64_t>(queue > 0 ? queue : in_a_round_trip),
               std::uint64_t{10 * kPacketBytesMax});
  options.link.seed = static_cast<std::uint64_t>(numbers["--seed"]);
  return true;
}

int Main(int argc, char** argv) {
  Options options;
  if (!ParseOptions(argc, argv, options)) return Usage();
  struct sigaction stop {};
  stop.sa_handler = [](int) { stopped = 1; };
  ::sigaction(SIGINT, &stop, nullptr);
  ::sigaction(SIGTERM, &stop, nullptr);
  // A link does not wait for who uses it: before others, and without the 50 us that the kernel may
  // be late otherwise. Where it is refused, the link is less even.
  ::setpriority(PRIO_PROCESS, 0, -20);
  ::prctl(PR_SET_TIMERSLACK, 1000);
  try {
    TunDevice near(options.near, "wan");
    TunDevice far(options.far, "wan");
    LinkOptions backwards = options.link;
    backwards.seed += 1;
    Lane there(near, far, options.link);
    Lane back(far, near, backwards);
    std::printf("ready\n");
    std::fflush(stdout);
    Carry(near, far, there, back);
    std::printf("{");
    there.Print("there");
    back.Print("back");
    PrintCpu();
  } catch (const std::system_error& error) {
    std::fprintf(stderr, "wan_link: %s\n", error.what());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace ferry::bench

int main(int argc, char** argv) { return ferry::bench::Main(argc, argv); }
