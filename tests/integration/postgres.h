// PrivatePostgres: a PostgreSQL of the test's own on a port of 127.0.0.1, to be stopped, started
// and copied; and a PgBouncer before it.
#pragma once

#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "batch/pg/server_binaries.h"
#include "batch/pg/session.h"
#include "tests/integration/child.h"

namespace ferry::test {

inline int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

// PostgreSQL and PgBouncer do not run as root.
class ServerAccount {
 public:
  std::vector<std::string> Run(std::vector<std::string> words) const {
    if (account_ == nullptr) return words;
    words.insert(words.begin(),
                 {"/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"});
    return words;
  }
  void MakeDirectory(const std::filesystem::path& path) const {
    std::filesystem::create_directory(path);
    if (account_ != nullptr && chown(path.c_str(), account_->pw_uid, account_->pw_gid) != 0) {
      throw std::runtime_error("chown " + path.string());
    }
  }

 private:
  const passwd* const account_ = geteuid() == 0 ? getpwnam("postgres") : nullptr;
};

class PrivatePostgres {
 public:
  // Makes an empty cluster below `dir` and starts it.
  PrivatePostgres(const std::filesystem::path& dir, std::map<std::string, std::string> environment)
      : PrivatePostgres(dir, std::move(environment), nullptr) {}
  // A standby of `primary`.
  PrivatePostgres(const std::filesystem::path& dir, std::map<std::string, std::string> environment,
                  const PrivatePostgres* primary)
      : dir_(dir), environment_(std::move(environment)) {
    account_.MakeDirectory(dir_);
    if (primary == nullptr) {
      Command("initdb", {"-D", Data(), "-U", "postgres", "--auth=trust", "--locale=C",
                         "--encoding=UTF8", "--no-sync", "--no-instructions"});
    } else {
      Command("pg_basebackup", {"-D", Data(), "-d", primary->uri(), "-R", "--checkpoint=fast",
                                "--wal-method=stream", "--no-sync"});
    }
    Start();
  }
  ~PrivatePostgres() {
    try {
      Stop();
    } catch (const std::exception&) {
    }
  }
  PrivatePostgres(const PrivatePostgres&) = delete;
  PrivatePostgres& operator=(const PrivatePostgres&) = delete;

  std::string uri() const {
    return "postgresql://postgres@127.0.0.1:" + std::to_string(port_) + "/postgres?sslmode=disable";
  }
  int port() const { return port_; }

  void Start() {
    if (running_) return;
    Command("pg_ctl", {"-D", Data(), "-w", "-t", "60", "-l", (dir_ / "log").string(), "-o",
                       "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
                       " -p " +
                           std::to_string(port_),
                       "start"});
    running_ = true;
  }
  // "immediate" is a crash: nothing is finished, and the next start recovers.
  void Stop(const std::string& mode = "fast") {
    if (!running_) return;
    Command("pg_ctl", {"-D", Data(), "-w", "-m", mode, "stop"});
    running_ = false;
  }
  // A line of postgresql.conf.
  void Configure(const std::string& line) {
    std::ofstream(Data() + "/postgresql.conf", std::ios::app) << line << "\n";
    Command("pg_ctl", {"-D", Data(), "reload"});
  }
  // Of a standby: it is the primary from now on.
  void Promote() { Command("pg_ctl", {"-D", Data(), "-w", "promote"}); }
  void Sql(const std::string& text) const {
    pg::Session session({.uri = uri(), .application_name = "test"});
    session.Transact([&](pg::Transaction& tx) { tx.ExecuteText(text); });
  }

 private:
  std::string Data() const { return dir_ / "data"; }
  void Command(const std::string& program, std::vector<std::string> words) {
    words.insert(words.begin(), pg::FindServerBinaries(std::nullopt).dir / program);
    const Finished finished = Child(account_.Run(words), environment_, dir_).Wait();
    if (finished.exit_code != 0) throw std::runtime_error(program + ": " + finished.err);
  }

  const std::filesystem::path dir_;
  const std::map<std::string, std::string> environment_;
  const ServerAccount account_;
  const int port_ = FreePort();
  bool running_ = false;
};

// A file system of its own, small enough to be filled. Needs the right to mount.
class SmallDisk {
 public:
  SmallDisk(std::filesystem::path path, std::map<std::string, std::string> environment)
      : path_(std::move(path)), environment_(std::move(environment)) {
    std::filesystem::create_directory(path_);
    mounted_ = Run({"/usr/bin/mount", "-t", "tmpfs", "-o", "size=160m,mode=755", "none", path_});
  }
  ~SmallDisk() {
    if (mounted_) Run({"/usr/bin/umount", "--lazy", path_});
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  void Fill() const {
    std::ofstream file(Filler(), std::ios::binary);
    const std::string bytes(1 << 16, 'x');
    while (file.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush()) continue;
  }
  void MakeRoom() const { std::filesystem::remove(Filler()); }

 private:
  std::filesystem::path Filler() const { return path_ / "filler"; }
  bool Run(std::vector<std::string> words) const {
    return Child(std::move(words), environment_, path_.parent_path()).Wait().exit_code == 0;
  }

  const std::filesystem::path path_;
  const std::map<std::string, std::string> environment_;
  bool mounted_ = false;
};

// In transaction mode: each transaction may be on another connection to the server.
class PgBouncer {
 public:
  PgBouncer(const std::filesystem::path& dir, std::map<std::string, std::string> environment,
            const PrivatePostgres& server) {
    const ServerAccount account;
    account.MakeDirectory(dir);
    const std::filesystem::path file = dir / "pgbouncer.ini";
    std::ofstream(file) << "[databases]\npostgres = host=127.0.0.1 port=" << server.port()
                        << " user=postgres dbname=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
                        << "listen_port = " << port_ << "\nunix_socket_dir =\nauth_type = any\n"
                        << "pool_mode = transaction\ndefault_pool_size = 3\n";
    child_ = std::make_unique<Child>(account.Run({"/usr/sbin/pgbouncer", file}),
                                     std::move(environment), dir);
  }

  std::string uri() const {
    return "postgresql://postgres@127.0.0.1:" + std::to_string(port_) + "/postgres?sslmode=disable";
  }
  std::string err() const { return child_->err(); }

 private:
  const int port_ = FreePort();
  std::unique_ptr<Child> child_;  // killed at the end
};

}  // namespace ferry::test
