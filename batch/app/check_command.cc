// check: tries everything that a run needs, one line each, and copies nothing.
//
// What it leaves behind is nothing: the upload it opens at the destination is aborted at once, and
// an embedded database is not created.
#include <fmt/format.h>

#include <random>

#include "batch/app/check_host.h"
#include "batch/app/check_report.h"
#include "batch/app/commands.h"
#include "batch/app/status_text.h"
#include "batch/app/stores.h"
#include "batch/app/task_listings.h"
#include "batch/app/task_parts.h"
#include "batch/base/error.h"
#include "batch/base/human.h"
#include "batch/copy/body_proof.h"

namespace ferry {
namespace {

constexpr std::string_view kCheckKey = ".bucketferry-check";
constexpr std::uint32_t kListedMax = 100;

bool IsStop(const Error& error) { return error.kind() == ErrorKind::kStopped; }

bool IsDenied(const Error& error) {
  return error.kind() == ErrorKind::kDenied || error.kind() == ErrorKind::kCredentials;
}

// "s3:PutObject is missing: cannot write ...", or what else is wrong.
std::string Explained(const Error& error, std::string_view permission) {
  if (error.kind() == ErrorKind::kDenied) {
    return fmt::format("{} is missing: {}", permission, error.what());
  }
  if (error.code() == kMalformedAnswer) {
    return fmt::format(
        "{}: the endpoint does not speak S3 here (a web page, a console or a "
        "proxy?): check endpoint",
        error.what());
  }
  if (error.code().empty() && error.kind() == ErrorKind::kNotFound) {
    return fmt::format("{}: no S3 error comes with it: check endpoint", error.what());
  }
  return error.what();
}

std::string NoTags(const Provider& provider) {
  return fmt::format("provider {} keeps none", provider.name);
}

Task<PutAnswer> PutWithTrailer(ObjectStore& store, Key key, std::string upload_id,
                               DigestKind kind) {
  constexpr std::string_view kBody = "bucketferry";
  Ring ring(kBody.size(), [](std::string_view) {});
  ring.Push(kBody);
  ring.Close();
  PutRequest part;
  part.key = std::move(key);
  part.upload_id = std::move(upload_id);
  part.part_number = 1;
  part.source = &ring;
  part.bytes = kBody.size();
  part.kind_behind = kind;
  part.digest_behind = [kind] { return BodyDigest::Of({kind}, kBody).front(); };
  co_return co_await store.Put(part);
}

// One side of a task: its store on the loop, and what was learnt of it.
struct End {
  std::string_view side;  // "source"
  const BucketPrefix& place;
  const StoreConfig& store_config;
  ExplainedCredentials& credentials;
  ObjectStore& store;
  std::optional<ListedObject> first;  // that can be read
  VersionPolicy versions = VersionPolicy::kLatest;
  bool tagged = false;
  std::optional<DigestKind> demanded = std::nullopt;  // that bodies are to carry
  std::string version_id = {};                        // of `first`, where requests carry it
  bool versioned = false;                             // as far as one object tells

  std::string Name(std::string_view what) const { return fmt::format("{} {}", side, what); }
};

class TaskCheck {
 public:
  TaskCheck(const TaskConfig& task, EventLoop& loop, Clock& clock)
      : report_(task.name), loop_(loop), clock_(clock) {}

  void CheckSource(End& end, bool tags_travel);
  void CheckDestination(End& end, bool tags_needed, bool deletes);
  bool failed() const { return report_.failed(); }

 private:
  bool CheckKeys(End& end);
  bool CheckList(End& end);
  bool CheckListVersions(End& end);
  void CheckRead(End& end, bool needed);
  void CheckVersions(End& end, GetRequest request, const ObjectHead& head);
  void CheckTags(End& end);
  void CheckUpload(End& end);
  void CheckChecksum(End& end, const Key& key, const std::string& upload_id);
  void CheckTaggedUpload(End& end, bool needed);
  void CheckDelete(End& end);
  void AbortUpload(End& end, const Key& key, const std::string& upload_id);

  template <typename T>
  T Ask(std::function<Task<T>()> make) {
    return loop_.Submit<T>(std::move(make)).get();
  }

  CheckReport report_;
  EventLoop& loop_;
  Clock& clock_;
};

void TaskCheck::CheckSource(End& end, bool tags_travel) {
  if (!CheckEndpoint(report_, end.side, end.store_config, loop_, clock_)) return;
  if (!CheckKeys(end) || !CheckList(end)) return;
  if (end.versions == VersionPolicy::kCompared && !CheckListVersions(end)) return;
  CheckRead(end, /*needed=*/true);
  if (end.first && tags_travel) CheckTags(end);
}

void TaskCheck::CheckDestination(End& end, bool tags_needed, bool deletes) {
  if (!CheckEndpoint(report_, end.side, end.store_config, loop_, clock_)) return;
  if (!CheckKeys(end) || !CheckList(end)) return;
  if (end.first) CheckRead(end, /*needed=*/false);
  CheckUpload(end);
  CheckTaggedUpload(end, tags_needed);
  if (deletes) CheckDelete(end);
}

// Where the keys come from, and what was asked for them before.
bool TaskCheck::CheckKeys(End& end) {
  const std::string keys = end.Name("keys");
  if (end.store_config.credentials.kind == CredentialsConfig::Kind::kAnonymous) return true;
  std::optional<Error> failure;
  try {
    end.credentials.Get();
  } catch (const Error& error) {
    if (IsStop(error)) throw;
    failure = error;
  }
  const ExplainedCredentials::Explanation found = end.credentials.Explain();
  for (const std::string& one : found.passed_over) report_.Note(keys, "none of " + one);
  if (failure) {
    report_.Fail(keys, failure->what());
    return false;
  }
  report_.Ok(keys, "of " + found.source +
                       (found.expires_at_ms ? ", until " + HumanMoment(*found.expires_at_ms) : ""));
  return true;
}

bool TaskCheck::CheckList(End& end) {
  ListRequest request;
  request.prefix = end.place.prefix;
  request.keys_max = kListedMax;
  const std::string credentials = end.Name("credentials");
  const std::string list = end.Name("list");
  const bool anonymous = end.store_config.credentials.kind == CredentialsConfig::Kind::kAnonymous;
  try {
    ListPage page = Ask<ListPage>([&] { return end.store.List(request); });
    report_.Ok(credentials, anonymous ? "none, as configured" : "accepted");
    report_.Ok(list, fmt::format("{}{} objects on the first page of {}", page.objects.size(),
                                 page.truncated ? " or more" : "", end.place.bucket));
    for (ListedObject& object : page.objects) {
      if (IsArchiveClass(object.storage_class)) continue;
      end.first = std::move(object);
      break;
    }
    return true;
  } catch (const Error& error) {
    if (IsStop(error)) throw;
    if (error.kind() == ErrorKind::kCredentials) {
      report_.Fail(credentials, error.what());
    } else {
      report_.Fail(list, Explained(error, "s3:ListBucket"));
    }
    return false;
  }
}

bool TaskCheck::CheckListVersions(End& end) {
  const std::string list = end.Name("list versions");
  ListVersionsRequest request;
  request.prefix = end.place.prefix;
  request.keys_max = kListedMax;
  try {
    const auto page = Ask<ListVersionsPage>([&] { return end.store.ListVersions(request); });
    report_.Ok(list, fmt::format("{}{} versions on the first page of {}", page.versions.size(),
                                 page.truncated ? " or more" : "", end.place.bucket));
    return true;
  } catch (const Error& error) {
    if (IsStop(error)) throw;
    report_.Fail(list, Explained(error, "s3:ListBucketVersions"));
    return false;
  }
}

// The first byte of the first object.
void TaskCheck::CheckRead(End& end, bool needed) {
  const std::string read = end.Name("read");
  if (!end.first) {
    report_.Note(read, "nothing was listed that could be read");
    return;
  }
  GetRequest request;
  request.key = end.first->key;
  request.range_bytes = end.first->size_bytes > 0 ? 1 : 0;
  request.expected_bytes = request.range_bytes;
  MemorySink sink(1);
  ObjectHead head;
  try {
    head = Ask<ObjectHead>([&] { return end.store.Get(request, sink, [](const ObjectHead&) {}); });
  } catch (const Error& error) {
    if (IsStop(error)) throw;
    const std::string why = Explained(error, "s3:GetObject");
    if (needed) return report_.Fail(read, why);
    return report_.Note(read, why + "; objects there cannot be read back or verified");
  }
  end.tagged = head.tag_count > 0;
  end.versioned = !head.version_id.empty();
  report_.Ok(read, "one byte of " + Escape(end.first->key));
  end.version_id = end.versions == VersionPolicy::kLatest ? "" : head.version_id;
  CheckVersions(end, request, head);
}

// The same byte by its version id, as a task that pins versions asks for it.
void TaskCheck::CheckVersions(End& end, GetRequest request, const ObjectHead& head) {
  const std::string versions = end.Name("versions");
  if (end.versions == VersionPolicy::kLatest || head.version_id.empty()) {
    report_.Note(versions, head.version_id.empty()
                               ? "the bucket names none"
                               : "the bucket keeps versions; the latest one counts");
    return;
  }
  request.version_id = head.version_id;
  MemorySink sink(1);
  try {
    Ask<ObjectHead>([&] { return end.store.Get(request, sink, [](const ObjectHead&) {}); });
    report_.Ok(versions, "one byte of version " + EscapeBytes(head.version_id));
  } catch (const Error& error) {
    if (IsStop(error)) throw;
    report_.Fail(versions, Explained(error, "s3:GetObjectVersion"));
  }
}

void TaskCheck::CheckTags(End& end) {
  const std::string tags = end.Name("tags");
  if (!end.store_config.provider.tags) {
    report_.Note(tags, NoTags(end.store_config.provider));
    return;
  }
  try {
    const NameValues found =
        Ask<NameValues>([&] { return end.store.GetTags(end.first->key, end.version_id); });
    end.tagged = end.tagged || !found.empty();
    report_.Ok(tags, fmt::format("{} on {}", found.size(), Escape(end.first->key)));
  } catch (const Error& error) {
    if (IsStop(error)) throw;
    const std::string why = Explained(
        error, end.version_id.empty() ? "s3:GetObjectTagging" : "s3:GetObjectVersionTagging");
    if (end.tagged) return report_.Fail(tags, why);
    // Without the right a store does not even say that an object has tags.
    if (IsDenied(error)) return report_.Note(tags, why + "; objects would arrive without tags");
    report_.Note(tags, "this store gives none: " + why);
  }
}

void TaskCheck::CheckUpload(End& end) {
  const Key key(end.place.prefix + std::string(kCheckKey));
  const ObjectMetadata metadata;
  std::string upload_id;
  try {
    upload_id = Ask<std::string>([&] { return end.store.CreateUpload(key, metadata); });
    report_.Ok(end.Name("create upload"), "of " + Escape(key));
  } catch (const Error& error) {
    if (IsStop(error)) throw;
    report_.Fail(end.Name("create upload"), Explained(error, "s3:PutObject"));
    return;
  }
  try {
    Ask<ListPartsPage>([&] { return end.store.ListParts(key, upload_id, 0); });
    report_.Ok(end.Name("list parts"), "interrupted uploads can go on");
  } catch (const Error& error) {
    if (!IsStop(error)) {
      report_.Note(end.Name("list parts"), Explained(error, "s3:ListMultipartUploadParts") +
                                               "; interrupted uploads cannot go on");
    }
  }
  if (end.demanded) CheckChecksum(end, key, upload_id);
  AbortUpload(end, key, upload_id);
}

// As a part, which goes with its upload: a server that knows no trailers says so here.
void TaskCheck::CheckChecksum(End& end, const Key& key, const std::string& upload_id) {
  const std::string checksum = end.Name("checksum");
  const DigestKind kind = *end.demanded;
  try {
    const PutAnswer answer =
        Ask<PutAnswer>([&] { return PutWithTrailer(end.store, key, upload_id, kind); });
    if (FindDigest(answer.checksums, kind) == nullptr) {
      return report_.Note(checksum, fmt::format("{} was taken, and is not in the answer: nothing "
                                                "says that it is kept",
                                                ToString(kind)));
    }
    report_.Ok(checksum, fmt::format("{} behind the body, checked and kept", ToString(kind)));
  } catch (const Error& error) {
    if (IsStop(error)) throw;
    report_.Fail(checksum, Explained(error, "s3:PutObject"));
  }
}

void TaskCheck::AbortUpload(End& end, const Key& key, const std::string& upload_id) {
  const std::string abort = end.Name("abort upload");
  try {
    Ask<Unit>([&] { return end.store.AbortUpload(key, upload_id); });
    report_.Ok(abort, "nothing is left behind");
  } catch (const Error& error) {
    report_.Fail(abort, Explained(error, "s3:AbortMultipartUpload") + "; left behind: upload " +
                            EscapeBytes(upload_id));
    if (IsStop(error)) throw;
  }
}

void TaskCheck::CheckTaggedUpload(End& end, bool needed) {
  const std::string tags = end.Name("write tags");
  if (!end.store_config.provider.tags) {
    const std::string why = NoTags(end.store_config.provider);
    report_.Note(tags, needed ? why + "; objects arrive without theirs" : why);
    return;
  }
  const Key key(end.place.prefix + std::string(kCheckKey));
  ObjectMetadata metadata;
  metadata.tags = {{"bucketferry", "check"}};
  std::string upload_id;
  try {
    upload_id = Ask<std::string>([&] { return end.store.CreateUpload(key, metadata); });
    Ask<Unit>([&] { return end.store.AbortUpload(key, upload_id); });
    report_.Ok(tags, "accepted");
  } catch (const Error& error) {
    if (IsStop(error)) throw;
    if (!upload_id.empty()) return;  // creating worked, and aborting was reported above
    const std::string why = Explained(error, "s3:PutObjectTagging");
    if (needed) return report_.Fail(tags, why);
    report_.Note(tags, why + "; needed where source objects have tags");
  }
}

// Of a key that nobody has: on a bucket without versions that changes nothing.
void TaskCheck::CheckDelete(End& end) {
  const std::string name = end.Name("delete");
  if (end.versioned) {
    report_.Note(name, "not tried: the bucket keeps versions, and would keep a delete marker");
    return;
  }
  std::random_device random;
  const Key key(end.place.prefix + std::string(kCheckKey) +
                fmt::format("-{:08x}{:08x}{:08x}", random(), random(), random()));
  try {
    Ask<Unit>([&] { return end.store.Delete(key); });
    report_.Ok(name, "of a key that does not exist");
  } catch (const Error& error) {
    if (IsStop(error)) throw;
    if (error.kind() == ErrorKind::kNotFound && error.code() == "NoSuchKey") {
      report_.Ok(name, "of a key that does not exist");
    } else {
      report_.Fail(name, Explained(error, "s3:DeleteObject"));
    }
  }
}

bool CheckTask(const CommandContext& context, Stores& stores, EventLoop& loop,
               const TaskConfig& task) {
  const auto made = stores.MakeWith(loop, task.name, Patience::kShort);
  const Ends ends = made->ends();
  TaskCheck check(task, loop, context.clock);
  const StoreConfig& from = context.config.Store(task.source.store);
  const StoreConfig& to = context.config.Store(task.destination.store);
  End source{"source", task.source, from, stores.CredentialsOf(from), ends.source, {}};
  source.versions = ends.versions;
  End destination{
      "destination", task.destination, to, stores.CredentialsOf(to), ends.destination, {}};
  if (DemandsChecksum(ends)) destination.demanded = DigestForDestination(ends);
  const bool tags_travel = task.write.tags.kind == TagsRule::Kind::kCopied;
  const bool all_get_tags = !task.write.tags.tags.empty();
  check.CheckSource(source, tags_travel);
  check.CheckDestination(destination, (tags_travel && source.tagged) || all_get_tags,
                         task.delete_mode != DeleteMode::kNever);
  return !check.failed();
}

}  // namespace

int Check(const CommandContext& context) {
  for (const TaskConfig* task : context.tasks) {
    FilterOf(*task, context.clock.WallNow());  // exclude_from can be read
    CheckListFile(*task);
  }
  Stores stores(context.config, context.environment, context.clock);
  LanePool lanes(1, kWholeBytesMax, stores, context.clock);
  const std::stop_callback on_stop(context.stop, [&lanes] { lanes.Stop(); });
  CheckReport host("host");
  CheckDatabase(host, context.config);
  CheckCongestionControl(host, context.config.transfer);
  bool fine = !host.failed();
  for (const TaskConfig* task : context.tasks) {
    if (context.stop.stop_requested()) throw Error(ErrorKind::kStopped, "stopped");
    if (!CheckTask(context, stores, lanes.loop(), *task)) fine = false;
  }
  return fine ? kExitDone : kExitFailed;
}

}  // namespace ferry
