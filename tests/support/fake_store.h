// FakeStore: an ObjectStore that keeps its objects in memory, and fails where a test says.
//
// It is held to tests/store/object_store_contract.h like the real one. Requests run on the loop's
// thread; tests look at objects() and set faults while no request runs.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/base/error.h"
#include "batch/store/event_loop.h"
#include "batch/store/object_store.h"

namespace ferry::test {

struct StoredObject {
  std::string bytes;
  std::string etag;
  ObjectMetadata metadata;
  std::int64_t modified_ms = 0;
  std::string storage_class;
  std::string version_id;  // empty: written without versioning
  bool restored = false;   // of an archive class, and can be read for now
  bool restoring = false;  // ... some time later
};

// Operations by name: list list_versions head get get_tags put_tags put copy delete restore
// create_upload list_parts complete_upload abort_upload list_uploads.
class FakeStore final : public ObjectStore {
 public:
  explicit FakeStore(EventLoop& loop) : loop_(loop) {}

  std::map<Key, StoredObject>& objects() { return objects_; }
  // Writes an object at once; its ETag is its MD5.
  StoredObject& Add(const std::string& key, std::string bytes);
  // As a client would: what was current stays as a version where the bucket keeps versions.
  void Remove(const std::string& key);
  // For good; the newest of the others becomes the current one.
  void RemoveVersion(const std::string& key, const std::string& version_id);
  std::size_t open_uploads() const { return uploads_.size(); }
  // An upload that somebody began at that time of the store.
  void AddUpload(const std::string& key, const std::string& upload_id, const std::string& by,
                 std::int64_t at_ms) {
    uploads_[upload_id] = {Key(key), {}, {}, by, at_ms};
  }
  bool HasUpload(const std::string& upload_id) const { return uploads_.contains(upload_id); }
  void ForgetUploads() { uploads_.clear(); }
  void ForgetUpload(const std::string& upload_id) { uploads_.erase(upload_id); }
  void ForgetPart(const std::string& upload_id, std::uint32_t number) {
    uploads_.at(upload_id).parts.erase(number);
  }
  const std::vector<std::string>& calls() const { return calls_; }  // "get KEY"
  int CountCalls(std::string_view operation) const;
  // With the bodies that were put, in their order.
  const DigestKinds& digests_sent() const { return digests_sent_; }
  const std::vector<RestoreRequest>& restores() const { return restores_; }
  int most_reads_at_once() const { return most_reads_; }
  void ForgetCalls() { calls_.clear(); }

  // kAfterEffect: it happened, and the answer was lost.
  enum class Moment { kBeforeEffect, kAfterEffect };
  // The `call`-th call from now of `operation` ("any" counts all) throws `error`.
  void FailCall(std::string operation, int call, Moment moment, Error error);
  void ForgetFaults() { faults_.clear(); }
  // Called before a request looks at the objects: a test may change them under its hands.
  std::function<void(std::string_view operation, const Key& key)> before;

  // Habits.
  enum class Versioning { kNever, kEnabled, kSuspended };
  Versioning versioning = Versioning::kNever;
  std::string initiator_name = "us";        // of the uploads begun here; empty: it does not tell
  std::int64_t now_ms = 1'700'000'000'000;  // its clock; 0: it does not tell
  bool opaque_etags = false;                // no MD5, nowhere
  bool hides_md5 = false;                   // says so in its answers, like KMS
  bool spoils_reads = false;                // flips a bit of each body that is read
  bool spoils_writes = false;               // stores other bytes than were sent; the ETag is theirs
  bool ignores_content_md5 = false;
  // Keeps this checksum of each object, refuses a body that has another, and answers it.
  std::optional<DigestKind> checksum;
  bool answers_no_checksum = false;  // nor refuses any: it does not know what they are
  bool answers_part_checksums = true;
  std::uint64_t cut_reads_at = 0;    // a body ends with kUnavailable after so many bytes
  std::size_t piece_bytes = 16384;   // bodies flow in such pieces
  bool pauses_reads = false;         // after each piece: other reads get their turn
  std::uint32_t page_parts = 1000;   // of ListParts
  bool encodes_upload_keys = false;  // of ListUploads, without saying so, like RGW 16.2
  std::function<ListPage(const ListRequest&)> list_instead;
  // Where Copy reads, by the name of the bucket; this store itself goes by "self".
  std::map<std::string, FakeStore*> copy_sources;
  bool completes_without_etag = false;  // RGW 16.2
  bool copies_heed_pins = true;         // RGW 16.2 does not, of parts

  Task<ListPage> List(ListRequest request) override;
  Task<ListVersionsPage> ListVersions(ListVersionsRequest request) override;
  using ObjectStore::Head;
  Task<ObjectHead> Head(Key key, std::string version_id) override;
  Task<ObjectHead> Get(GetRequest request, BodySink& sink,
                       std::function<void(const ObjectHead&)> on_head) override;
  using ObjectStore::GetTags;
  Task<NameValues> GetTags(Key key, std::string version_id) override;
  Task<Unit> PutTags(Key key, NameValues tags) override;
  Task<PutAnswer> Put(PutRequest request) override;
  Task<CopyAnswer> Copy(CopyRequest request) override;
  Task<Unit> Delete(Key key) override;
  Task<Unit> Restore(RestoreRequest request) override;
  Task<std::string> CreateUpload(Key key, const ObjectMetadata& metadata) override;
  Task<ListPartsPage> ListParts(Key key, std::string upload_id,
                                std::uint32_t after_number) override;
  Task<CompletedUpload> CompleteUpload(Key key, std::string upload_id,
                                       std::vector<PartToComplete> parts) override;
  Task<Unit> AbortUpload(Key key, std::string upload_id) override;
  Task<ListUploadsPage> ListUploads(std::string prefix, std::string key_marker,
                                    std::string upload_id_marker) override;

 private:
  struct StoredPart {
    std::string bytes;
    std::string etag;
  };
  struct OldVersion {
    StoredObject object;
    bool delete_marker = false;
  };
  struct Upload {
    Key key;
    ObjectMetadata metadata;
    std::map<std::uint32_t, StoredPart> parts;
    std::string initiator;
    std::int64_t initiated_ms = 0;
  };
  struct Fault {
    std::string operation;
    int calls_left;
    Moment moment;
    Error error;
  };

  // Counts the call and throws what must fail before its effect; the result is what must fail
  // after it.
  std::optional<Error> Enter(std::string_view operation, const Key& key);
  StoredObject& Find(const Key& key, const std::string& version_id = {});
  // Makes room for what becomes current, which gets the id that is returned.
  std::string Retire(const Key& key);
  std::vector<ListedVersion> AllVersions() const;
  Upload& FindUpload(const Key& key, const std::string& upload_id);
  std::string EtagFor(std::string_view bytes);
  Digests ChecksumsOf(std::string_view bytes) const;
  void CheckDigest(const PutRequest& request, std::string_view body) const;
  ObjectHead HeadOf(const StoredObject& object) const;
  std::string Store(const Key& key, std::string bytes, std::string etag, ObjectMetadata metadata);

  EventLoop& loop_;
  std::map<Key, StoredObject> objects_;          // the current ones
  std::map<Key, std::deque<OldVersion>> older_;  // newest first; a marker may be the latest
  std::map<std::string, Upload> uploads_;
  std::vector<Fault> faults_;
  std::vector<std::string> calls_;
  DigestKinds digests_sent_;
  std::vector<RestoreRequest> restores_;
  int counter_ = 0;
  int reads_ = 0;  // under way
  int most_reads_ = 0;
};

}  // namespace ferry::test
