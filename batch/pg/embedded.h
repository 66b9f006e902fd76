// EmbeddedServer: a private PostgreSQL below the state directory, from the installed binaries.
//
// The first user creates and starts it, later ones find it running, whatever program they are; it
// listens on a Unix socket in a directory that only its owner (and root) can enter. Users hold a
// shared lock on a file. A keeper process, started with the server, takes that lock exclusively
// once the last user has left for a second, and stops the server while it holds it: who comes
// meanwhile waits, and starts it anew. Locks die with their processes, so nothing needs cleaning up
// after kill -9 of any or all of them; a keeper that dies takes its server along (fast shutdown).
//
//   <cluster>/users.lock   shared: users; exclusive: a keeper that stops the server
//   <cluster>/start.lock   exclusive: who looks whether to start it
//   <cluster>/server.lock  exclusive: inherited by every process of the server. Whoever gets it
//                          knows that none is left, whatever postmaster.pid says
//   <cluster>/data, server.log, run/ (the socket; a directory in /tmp where that is too long)
//
// <cluster> is <state_dir>/postgres. PostgreSQL refuses to run as root: started by root it runs as
// the state directory's owner, else as `postgres`, else as `nobody`; where that user cannot reach
// the state directory (/root/...), <cluster> is /var/lib/bucketferry/<hash>, and the file
// <state_dir>/postgres.path says so.
//
// All functions may be called from any thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace ferry::pg {

class EmbeddedServer {
 public:
  // Returns when the server answers. Throws Error{kConfig}: state directory not writable or
  // another user's, server binaries missing, data of another major version (which is kept);
  // Error{kUnavailable}: it did not start, with the last telling line of its log.
  explicit EmbeddedServer(const std::filesystem::path& state_dir);

  // Leaves. If this was the last user, the server stops within a few seconds.
  ~EmbeddedServer();
  EmbeddedServer(const EmbeddedServer&) = delete;
  EmbeddedServer& operator=(const EmbeddedServer&) = delete;

  // For ConnectOptions::uri. The same for the life of this object.
  const std::string& uri() const { return uri_; }

  // Starts the server again if it has died (kill -9, out of memory). To be called before
  // Session::Reset() when the database is away. Throws as the constructor does.
  void EnsureRunning();

  // Where the data is, for messages and backups.
  const std::filesystem::path& cluster_dir() const { return cluster_dir_; }

 private:
  struct Cluster;
  std::unique_ptr<Cluster> cluster_;
  std::filesystem::path cluster_dir_;
  std::string uri_;
};

// Whether a server was ever created below `state_dir`. Changes nothing.
bool EmbeddedServerExists(const std::filesystem::path& state_dir);

}  // namespace ferry::pg
