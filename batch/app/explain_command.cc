// explain KEY: why this key would or would not be copied, or deleted, now.
//
// KEY is the whole key at the source, prefix and all, in escaped form. Both sides are asked by
// HEAD, whose times have whole seconds; the decision compares no finer than that.
#include <fmt/format.h>

#include "batch/app/commands.h"
#include "batch/app/database.h"
#include "batch/app/status_text.h"
#include "batch/app/stores.h"
#include "batch/app/task_parts.h"
#include "batch/base/error.h"
#include "batch/base/human.h"
#include "batch/provider/key_refusal.h"
#include "batch/queue/ledger.h"

namespace ferry {
namespace {

// One task's view of the key.
struct View {
  const TaskConfig& task;
  Key source_key;
  Key destination_key;
  std::optional<std::string> refusal;  // why the destination cannot hold it
  std::optional<ObjectHead> source;
  std::optional<ObjectHead> destination;
  std::optional<LedgerEntry> ledger;
  Selection selection = Selection::kFirstRun;
};

// nullopt: there is no such key. A missing bucket is an error.
std::optional<ObjectHead> Examine(EventLoop& loop, ObjectStore& store, const Key& key) {
  try {
    return loop.Submit<ObjectHead>([&store, &key] { return store.Head(key); }).get();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kNotFound || error.code() == "NoSuchBucket") throw;
    return std::nullopt;
  }
}

// As a listing would show it; `version` only where the source's listing names versions.
ListedEntry ToEntry(const ObjectHead& head, const Key& rest, std::string version = {}) {
  ListedEntry entry;
  entry.key = rest;
  entry.etag = head.etag;
  entry.size_bytes = head.size_bytes;
  entry.modified_ms = head.last_modified_ms;
  entry.archived = head.archived;
  entry.version = std::move(version);
  return entry;
}

std::string Describe(const std::optional<ObjectHead>& head) {
  if (!head) return "not there";
  std::string text =
      fmt::format("{} bytes, ETag {}, modified {}, class {}", head->size_bytes,
                  EscapeBytes(head->etag), HumanMoment(head->last_modified_ms),
                  head->storage_class.empty() ? "STANDARD" : EscapeBytes(head->storage_class));
  if (!head->version_id.empty()) text += ", version " + EscapeBytes(head->version_id);
  if (head->etag_hides_md5) text += ", encrypted so that its ETag says nothing about its bytes";
  return text;
}

std::string Describe(const std::optional<LedgerEntry>& ledger) {
  if (!ledger) return "knows nothing of this key";
  const std::string seen =
      fmt::format("source {} bytes, ETag {}, modified {}", ledger->source.size_bytes,
                  EscapeBytes(ledger->source.etag), HumanMoment(ledger->source.modified_ms)) +
      (ledger->source.version.empty() ? "" : ", version " + EscapeBytes(ledger->source.version));
  if (ledger->verdict) return fmt::format("{}: {}", ToString(*ledger->verdict), seen);
  return fmt::format("brought: {}; destination ETag {}", seen,
                     EscapeBytes(ledger->destination_etag));
}

std::string_view Sentence(Reason reason) {
  switch (reason) {
    case Reason::kUnchanged: return "both sides are as the ledger says; nothing to do";
    case Reason::kNotAtSource: return "the source has no such object; nothing to copy";
    case Reason::kMissing: return "the destination does not have it";
    case Reason::kSourceChanged: return "the source is not what was brought last time";
    case Reason::kDestinationChanged: return "the destination is not what was written there";
    case Reason::kSizeDiffers: return "the ledger does not know it, and the sizes differ";
    case Reason::kEtagDiffers:
      return "the ledger does not know it, and the ETags prove other bytes";
    case Reason::kEqualEtags: return "equal ETags prove equal bytes; only the ledger is written";
    case Reason::kVersionLearnt:
      return "both sides are as the ledger says, which only learns the source's version";
    case Reason::kTrustedBySizeAndTime:
      return "the ledger does not know it; `adopt: trust` takes its equal size and later time";
    case Reason::kNotComparable:
      return "the ledger does not know it, and the ETags cannot tell; `adopt` decides";
    case Reason::kArchivedAtSource:
      return "the source is in an archive class and must be restored before it can be read";
    case Reason::kBeingRestored:
      return "the source is in an archive class, and its restoring was asked for";
    case Reason::kKeyNotAllowed: return "the destination cannot hold this key";
  }
  return "";
}

std::string DecisionLine(const View& view, const std::optional<std::string>& excluded,
                         const Key& rest) {
  if (excluded) return "nothing: the filter leaves it out (" + *excluded + ")";
  Sides sides;
  std::optional<ListedEntry> source, destination;
  if (view.source) {
    const bool named = VersionPolicyOf(view.task) == VersionPolicy::kCompared;
    sides.source =
        &source.emplace(ToEntry(*view.source, rest, named ? view.source->version_id : ""));
  }
  if (view.destination) sides.destination = &destination.emplace(ToEntry(*view.destination, rest));
  if (view.ledger) sides.ledger = &*view.ledger;
  sides.key_allowed = !view.refusal;
  const Finding finding = Decide(sides, AdoptPolicyOf(view.task));
  return fmt::format("{} ({}): {}", ToString(finding.decision), ToString(finding.reason),
                     Sentence(finding.reason));
}

// Whether a run would delete the destination's object. Empty: there is nothing to ask.
std::string DeleteLine(const View& view, const std::optional<std::string>& excluded,
                       const Key& rest) {
  if (view.source || !view.destination) return "";
  const DeletePolicy policy = DeletePolicyOf(view.task);
  if (policy == DeletePolicy::kNever) return "no: this task has `delete: never`";
  if (excluded) return "no: the filter leaves it out (" + *excluded + ")";
  const ExtraKind kind =
      KindOfExtra(ToEntry(*view.destination, rest), view.ledger ? &*view.ledger : nullptr);
  if (!IsCandidate(policy, kind)) {
    return view.ledger ? "no: it is not what was brought, and `delete: extra` leaves it alone"
                       : "no: the ledger does not know it, and `delete: extra` leaves it alone";
  }
  if (view.selection == Selection::kFirstRun) return "not in the next run, which is the first";
  if (view.selection == Selection::kChanged) {
    return "not in the next run: the filter or an endpoint is not what it was in the last";
  }
  return fmt::format("yes ({}), unless the source lists empty or max_delete is exceeded",
                     ReasonOf(kind));
}

void Print(const View& view, const ObjectFilter& filter) {
  const TaskConfig& task = view.task;
  const Key rest(view.source_key.bytes().substr(task.source.prefix.size()));
  std::optional<ListedEntry> source;
  if (view.source) source = ToEntry(*view.source, rest);
  const auto excluded = filter.WhyExcluded(rest.bytes(), source ? &*source : nullptr);
  const auto name = [](const BucketPrefix& place, const Key& key) {
    return fmt::format("{}:{}/{}", place.store, place.bucket, Escape(key));
  };
  PrintLine("task " + task.name);
  PrintLine("  source:      " + name(task.source, view.source_key));
  PrintLine("               " + Describe(view.source));
  PrintLine("  destination: " + name(task.destination, view.destination_key));
  PrintLine("               " +
            (view.refusal ? "cannot hold this key: " + *view.refusal : Describe(view.destination)));
  PrintLine("  ledger:      " + Describe(view.ledger));
  PrintLine("  filter:      " + excluded.value_or("brings it over"));
  PrintLine("  decision:    " + DecisionLine(view, excluded, rest));
  const std::string deletes = DeleteLine(view, excluded, rest);
  if (!deletes.empty()) PrintLine("  delete:      " + deletes);
}

void ExplainTask(LanePool& lanes, Stores& stores, Database* database, const Key& key,
                 const TaskConfig& task, const TaskSelection& selection) {
  EventLoop& loop = lanes.loop();
  const auto made = stores.MakeWith(loop, task.name, Patience::kShort);
  const Ends ends = made->ends();
  View view{task, key, {}, {}, {}, {}, {}, {}};
  view.destination_key =
      Key(task.destination.prefix + key.bytes().substr(task.source.prefix.size()));
  view.refusal = KeyRefusal(ends.destination_provider, view.destination_key);
  view.source = Examine(loop, ends.source, view.source_key);
  if (!view.refusal) {
    view.destination = Examine(loop, ends.destination, view.destination_key);
  }
  if (database != nullptr) {
    const auto session = database->Connect();
    if (const auto task_id = FindTask(*session, PlaceOf(task))) {
      view.ledger = ReadLedgerRow(*session, *task_id, key);
      view.selection = DeleteRulesOf(task, selection, ReadSelection(*session, *task_id)).selection;
    }
  }
  Print(view, selection.filter);
}

}  // namespace

int Explain(const CommandContext& context) {
  const Key key = UnescapeKey(context.line.key);
  if (key.empty()) throw Error(ErrorKind::kConfig, "explain needs a key, and this one is empty");
  std::vector<std::pair<const TaskConfig*, TaskSelection>> concerned;
  std::vector<const TaskConfig*> others;
  for (const TaskConfig* task : context.tasks) {
    if (key.StartsWith(task->source.prefix)) {
      concerned.emplace_back(task, SelectionOf(context.config, *task, context.clock.WallNow()));
    } else {
      others.push_back(task);
    }
  }
  if (!concerned.empty()) {
    const auto database = Database::OpenExisting(context.config);
    Stores stores(context.config, context.environment, context.clock);
    LanePool lanes(1, kWholeBytesMax, stores, context.clock);
    const std::stop_callback on_stop(context.stop, [&lanes] { lanes.Stop(); });
    for (const auto& [task, selection] : concerned) {
      if (context.stop.stop_requested()) throw Error(ErrorKind::kStopped, "stopped");
      ExplainTask(lanes, stores, database.get(), key, *task, selection);
    }
  }
  for (const TaskConfig* task : others) {
    PrintLine(
        fmt::format("task {}\n  decision:    nothing: the key does not begin with the source "
                    "prefix {}",
                    task->name, EscapeBytes(task->source.prefix)));
  }
  FlushLines();
  return kExitDone;
}

}  // namespace ferry
