// Where the embedded server lives, and as whom it runs.
#pragma once

#include <sys/types.h>

#include <filesystem>

namespace ferry::pg {

// Who owns the files and runs the server. Never root.
struct ServerUser {
  uid_t uid = 0;
  gid_t gid = 0;
};

struct ClusterPlace {
  std::filesystem::path dir;         // 0700, the user's
  std::filesystem::path socket_dir;  // 0700, the user's; short and of plain characters
  ServerUser user;

  std::filesystem::path data() const { return dir / "data"; }
  std::filesystem::path log() const { return dir / "server.log"; }
};

// Chooses the place and creates `dir`. Any number of processes may do so at once.
// Throws Error{kConfig}.
ClusterPlace CreateClusterPlace(const std::filesystem::path& state_dir);

// Creates `socket_dir`, or makes sure that it is ours alone. Throws Error{kConfig}.
void CreateSocketDir(const ClusterPlace& place);

// Where the cluster of `state_dir` is, or would be. Changes nothing.
std::filesystem::path FindClusterDir(const std::filesystem::path& state_dir);

// `path` belongs to `user` from now on, when we are root; else it is ours already.
void GiveTo(const ServerUser& user, const std::filesystem::path& path);

}  // namespace ferry::pg
