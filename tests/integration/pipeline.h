// Pipeline: everything between a run and those who are to know of it, as real programs on the
// loopback: exporter, Prometheus with the rules of the chart, Alertmanager with the routes of its
// example, hook, and a read-only rclone mount of the destination with an hour of directory cache.
#pragma once

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>

#include <algorithm>
#include <atomic>

#include "tests/integration/postgres.h"
#include "tests/integration/proxy.h"
#include "tests/integration/voyage.h"
#include "tests/support/scripted_http_server.h"

namespace ferry::test {

// Status and body; status 0 when nothing answered.
struct Answered {
  int status = 0;
  std::string body;
};
inline Answered HttpGet(int port, const std::string& path) {
  try {
    Poco::Net::HTTPClientSession session("127.0.0.1", static_cast<Poco::UInt16>(port));
    session.setTimeout(Poco::Timespan(15, 0));
    Poco::Net::HTTPRequest request("GET", path, "HTTP/1.1");
    session.sendRequest(request);
    Poco::Net::HTTPResponse response;
    std::ostringstream body;
    body << session.receiveResponse(response).rdbuf();
    return {static_cast<int>(response.getStatus()), body.str()};
  } catch (const Poco::Exception&) {
    return {};
  }
}

// The port that a program of ours says it listens on; 0: not yet.
inline int ListeningPort(const Child& child) {
  const std::string log = child.err();
  const std::size_t at = log.find("address=127.0.0.1:");
  if (at == std::string::npos || log.find('\n', at) == std::string::npos) return 0;
  return std::stoi(log.substr(at + 18));
}

// Stands before a server; while it is shut every request is answered 500.
class Gate {
 public:
  explicit Gate(int port)
      : port_(port),
        listener_([this](Poco::Net::StreamSocket& client, const std::stop_token& stop) {
          Serve(client, stop);
        }) {}

  std::string url() const { return "http://" + listener_.address(); }
  void Shut(bool shut) { shut_ = shut; }
  int refused() const { return refused_; }

 private:
  static bool Readable(Poco::Net::StreamSocket& socket) {
    return socket.poll(Poco::Timespan(0, 20000), Poco::Net::Socket::SELECT_READ);
  }
  void Serve(Poco::Net::StreamSocket& client, const std::stop_token& stop) {
    std::array<char, 16384> buffer;
    Poco::Net::StreamSocket server(
        Poco::Net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(port_)));
    while (!stop.stop_requested()) {
      for (auto [from, to] : {std::pair(&client, &server), std::pair(&server, &client)}) {
        if (!Readable(*from)) continue;
        const int count = from->receiveBytes(buffer.data(), buffer.size());
        if (count <= 0) return;
        if (from == &client && shut_) return Refuse(client);
        to->sendBytes(buffer.data(), count);
      }
    }
  }
  void Refuse(Poco::Net::StreamSocket& client) {
    ++refused_;
    const std::string answer =
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    client.sendBytes(answer.data(), static_cast<int>(answer.size()));
    client.shutdownSend();
  }

  const int port_;
  std::atomic<bool> shut_{false};
  std::atomic<int> refused_{0};
  Listener listener_;
};

class Pipeline : public Voyage {
 protected:
  static constexpr int kIntervalSeconds = 2;  // of scrapes and of rules

  void SetUp() override {
    Voyage::SetUp();
    if (IsSkipped()) return;
    for (const char* const needed :
         {"/dev/fuse", "/usr/bin/prometheus", "/usr/bin/prometheus-alertmanager"}) {
      if (!std::filesystem::exists(needed)) GTEST_SKIP() << needed << " is not there";
    }
    people_.AnswerAlways({.bytes = HttpText(200)});
    Configure();
    StartMount();
    exporter_ = Start({"--listen", "127.0.0.1:0"}, "bucketferry-exporter");
    ASSERT_TRUE(Eventually([&] { return ListeningPort(*exporter_) != 0; })) << exporter_->err();
    // Whoever comes first creates the database; the exporter only reads it.
    ASSERT_THAT(Bucketferry({"migrate"}), ExitsWith(0));
    StartHook();
    StartAlertmanager();
    StartPrometheus();
    ASSERT_TRUE(Eventually([&] { return !Query("bucketferry_up == 1").empty(); }));
  }

  void TearDown() override {
    for (const auto& child : {&prometheus_, &alertmanager_, &hook_, &exporter_}) {
      if (!*child) continue;
      (*child)->Signal(SIGTERM);
      (*child)->Wait(30s);
    }
    if (mount_) {
      mount_->Signal(SIGTERM);
      mount_->Wait(30s);
    }
    Voyage::TearDown();
  }

  void Configure() {
    std::ofstream(dir() / "token") << "let-me-in\n";
    // Whoever comes in while another is inside says so.
    std::ofstream(dir() / "refresh.sh")
        << "mkdir inside 2>/dev/null || { echo overlap >>calls; exit 0; }\n"
           "sleep 0.2\nrmdir inside\necho $BUCKETFERRY_RUN >>calls\n";
    config().before =
        "refresh_targets:\n"
        "  mount: {type: rclone, url: \"http://127.0.0.1:" +
        std::to_string(rc_port_) +
        "\"}\n"
        "  local: {type: command, argv: [/bin/sh, -c, \"cd " +
        dir().string() +
        " && . ./refresh.sh\"]}\n"
        "notify_targets:\n  team: {type: webhook, url: \"" +
        people_.url() + "\"}\nhook: {token_file: \"" + (dir() / "token").string() + "\"}\n";
    task().more = ", refresh: [mount, local], notify: [team], interval: 1h";
  }

  void StartMount() {
    std::filesystem::create_directory(mount_point());
    std::ofstream(dir() / "rclone.conf")
        << "[dst]\ntype = s3\nprovider = Ceph\nendpoint = " << environment().at("DST_ENDPOINT")
        << "\naccess_key_id = " << environment().at("DST_ACCESS_KEY")
        << "\nsecret_access_key = " << environment().at("DST_SECRET_KEY") << "\n";
    mount_ = std::make_unique<Child>(
        std::vector<std::string>{
            "/usr/bin/rclone", "mount", "dst:" + destination_bucket(), mount_point().string(),
            "--config", (dir() / "rclone.conf").string(), "--read-only", "--dir-cache-time", "1h",
            "--poll-interval", "0", "--rc", "--rc-no-auth", "--rc-addr",
            "127.0.0.1:" + std::to_string(rc_port_)},
        environment(), dir());
    ASSERT_TRUE(Eventually([&] {
      return ReadWholeFile("/proc/self/mounts").find(mount_point().string()) != std::string::npos;
    })) << mount_->err();
  }

  void StartHook() {
    hook_ = Start({"hook", "--listen", "127.0.0.1:" + std::to_string(hook_port_)});
    ASSERT_TRUE(Eventually([&] { return HttpGet(hook_port_, "/-/ready").status == 200; }))
        << hook_->err();
  }
  void StartAlertmanager() {
    const std::string config = WriteConfig(
        "alertmanager.yml",
        {"alertmanager", FERRY_SOURCE_DIR "/helm/bucketferry/files/alertmanager/alertmanager.yml",
         gate_.url(), (dir() / "token").string()});
    alertmanager_ = std::make_unique<Child>(
        std::vector<std::string>{"/usr/bin/prometheus-alertmanager", "--config.file=" + config,
                                 "--storage.path=" + (dir() / "alertmanager").string(),
                                 "--cluster.listen-address=",
                                 "--web.listen-address=127.0.0.1:" + std::to_string(am_port_)},
        environment(), dir());
    ASSERT_TRUE(Eventually([&] { return HttpGet(am_port_, "/-/ready").status == 200; }))
        << alertmanager_->err();
  }
  void StartPrometheus() {
    const std::string config =
        WriteConfig("prometheus.yml",
                    {"prometheus", FERRY_SOURCE_DIR "/helm/bucketferry/files/rules/*.yaml",
                     "127.0.0.1:" + std::to_string(ListeningPort(*exporter_)),
                     "127.0.0.1:" + std::to_string(am_port_), std::to_string(kIntervalSeconds)});
    prometheus_ = std::make_unique<Child>(
        std::vector<std::string>{"/usr/bin/prometheus", "--config.file=" + config,
                                 "--storage.tsdb.path=" + (dir() / "prometheus").string(),
                                 "--web.listen-address=127.0.0.1:" + std::to_string(port_)},
        environment(), dir());
    ASSERT_TRUE(Eventually([&] { return HttpGet(port_, "/-/ready").status == 200; }))
        << prometheus_->err();
  }
  void Kill(std::unique_ptr<Child>& child) {
    child->Signal(SIGKILL);
    child->Wait();
    child.reset();
  }

  // The vector that Prometheus answers to an expression, now.
  Json Query(const std::string& expression) {
    std::string encoded;
    Poco::URI::encode(expression, "+&=#?{}[]\"", encoded);
    const Json answer =
        Json::parse(HttpGet(port_, "/api/v1/query?query=" + encoded).body, nullptr, false);
    if (answer.is_discarded() || answer.value("status", "") != "success") return Json::array();
    return answer.at("data").at("result");
  }
  bool Fires(const std::string& alert, std::int64_t run) {
    return !Query("ALERTS{alertname=\"" + alert + "\",alertstate=\"firing\",run_id=\"" +
                  std::to_string(run) + "\"}")
                .empty();
  }

  std::int64_t LastRunId() { return LastRun().at("run").get<std::int64_t>(); }
  // How many targets have not acknowledged what is required of them.
  std::int64_t Unacknowledged() {
    return Number(
        "select count(*) as n from bucketferry.refresh"
        " where acknowledged_seq < required_seq");
  }
  std::int64_t Required() {
    return Number("select coalesce(max(required_run_id), 0) as n from bucketferry.refresh");
  }
  bool IsTold(std::int64_t run, const std::string& event, const std::string& state = "sent") {
    return Number("select count(*) as n from bucketferry.notification where run_id = " +
                  std::to_string(run) + " and event = '" + event + "' and state = '" + state +
                  "'") == 1;
  }
  // The runs for which the local target was called, and "overlap" for each that met another.
  std::string LocalCalls() { return ReadWholeFile(dir() / "calls"); }

  std::vector<std::string> Mounted() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(mount_point())) {
      names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
  }

  std::filesystem::path mount_point() const { return dir() / "mount"; }

  std::string WriteConfig(const std::string& name, std::vector<std::string> words) {
    words.insert(words.begin(),
                 {"/usr/bin/python3", FERRY_SOURCE_DIR "/tests/servers/pipeline_config.py"});
    const Finished made = Child(words, environment(), dir()).Wait();
    EXPECT_THAT(made, ExitsWith(0));
    std::ofstream(dir() / name) << made.out;
    return dir() / name;
  }

  const int rc_port_ = FreePort();
  const int hook_port_ = FreePort();
  const int am_port_ = FreePort();
  const int port_ = FreePort();
  ScriptedHttpServer people_;
  Gate gate_{hook_port_};
  std::unique_ptr<Child> mount_, exporter_, hook_, alertmanager_, prometheus_;
};

}  // namespace ferry::test
