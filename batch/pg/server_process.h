// The processes of the embedded server: initdb, and the keeper with the server.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "batch/pg/cluster_place.h"
#include "batch/pg/file_lock.h"
#include "batch/pg/server_binaries.h"

namespace ferry::pg {

// Drops root for good, in a child between fork and exec: only system calls. True when we are not
// root at all.
bool BecomeUser(const ServerUser& user);

// Fills `place.data()`, all or nothing. initdb inherits `server_lock`, so that one whose caller was
// killed is waited for. Throws Error{kConfig} or {kUnavailable}.
void InitializeCluster(const ClusterPlace& place, const ServerBinaries& binaries,
                       const FileLock& server_lock);

// Starts the keeper, and by it the server; returns without waiting for either. The server inherits
// `server_lock`, the keeper `users`, which must be an open file of its own.
void StartKeeper(const ClusterPlace& place, const ServerBinaries& binaries,
                 const FileLock& server_lock, const FileLock& users);

// The last line since `offset` that says what went wrong, without time and process id.
std::string TellingLogLine(const std::filesystem::path& log, std::uintmax_t offset);

}  // namespace ferry::pg
