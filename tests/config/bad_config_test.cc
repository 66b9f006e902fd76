// What a bad file is answered: one line each, with file, line and key, and no secret.
#include <gtest/gtest.h>

#include "batch/config/yaml_value.h"
#include "tests/config/config_file.h"

namespace ferry {
namespace {

using test::kSmallest;

class BadConfigTest : public testing::Test, protected test::ConfigFile {
 protected:
  // The smallest file with `from` replaced by `to`.
  std::string With(const std::string& from, const std::string& to) const {
    std::string text = kSmallest;
    FERRY_CHECK(text.find(from) != std::string::npos);
    return text.replace(text.find(from), from.size(), to);
  }
  // With lines added to the task, or at top level.
  std::string Task(const std::string& line) const { return kSmallest + ("    " + line + "\n"); }
  std::string Top(const std::string& line) const { return kSmallest + line + "\n"; }
};

TEST_F(BadConfigTest, SignalsThatCannotBe) {
  const std::string target = "refresh_targets: {cdn: {type: rclone, url: \"http://h\"}}\n";
  const auto failure = [&](const std::string& line) { return Failure(target + Task(line)); };
  EXPECT_EQ(failure("refresh: {targets: [cdn], via: run}"), "accepted");
  EXPECT_EQ(failure("refresh: {targets: [cdn], by: run}"),
            "f.yaml:9: tasks[0].refresh: unknown key \"by\"; known here: targets, via");
  EXPECT_EQ(failure("refresh: {via: run}"), "f.yaml:9: tasks[0].refresh: lacks \"targets\"");
  EXPECT_EQ(failure("refresh: {targets: [cdn], via: cron}"),
            "f.yaml:9: tasks[0].refresh.via: \"cron\" is unknown; known here: alertmanager, run");
  EXPECT_EQ(failure("refresh_every: 6h"),
            "f.yaml:9: tasks[0].refresh_every: needs `refresh`: which targets");
  EXPECT_NE(failure("refresh: [cdn]\n    refresh_every: 1s"), "accepted");
  EXPECT_NE(failure("notify_always: often"), "accepted");
}

TEST_F(BadConfigTest, TemplatesThatNameNothing) {
  const auto failure = [&](const std::string& body) {
    return Failure(
        Top("refresh_targets: {t: {type: webhook, url: \"https://h\", body: '" + body + "'}}"));
  };
  EXPECT_EQ(failure(R"({"a": {"b": {{run}}}, "c": "{{task}}", "d": "{{ }}"})"), "accepted");
  EXPECT_EQ(failure(R"({"a": {{text}}})"),
            "f.yaml:8: refresh_targets.t.body: is no JSON once it is filled: texts stand within "
            "quotes, numbers alone");
  EXPECT_EQ(failure("{{rnu}}").substr(0, 75),
            "f.yaml:8: refresh_targets.t.body: {{rnu}} stands for nothing; known: event,");
}

TEST_F(BadConfigTest, HooksThatCannotBe) {
  EXPECT_EQ(Failure(Top("hook: {listen: \"127.0.0.1:9848\", token_file: t}")), "accepted");
  EXPECT_EQ(Failure(Top("hook: {tls: {certificate: c}}")), "f.yaml:8: hook.tls: lacks \"key\"");
  EXPECT_EQ(Failure(Top("hook: {token: abc}")),
            "f.yaml:8: hook: unknown key \"token\"; known here: listen, token_file, tls");
}

TEST_F(BadConfigTest, UnknownKeysAreNamedWithTheirLineAndTheKnownOne) {
  EXPECT_EQ(Failure(Top("transfers: {}")),
            "f.yaml:8: unknown key \"transfers\"; did you mean \"transfer\"?");
  EXPECT_EQ(Failure(Top("transfer:\n  part-size: 5MiB")),
            "f.yaml:9: transfer: unknown key \"part-size\"; did you mean \"part_size\"?");
  EXPECT_EQ(Failure(Task("exlcude: []")),
            "f.yaml:8: tasks[0]: unknown key \"exlcude\"; did you mean \"exclude\"?");
  EXPECT_EQ(Failure(With("region", "Regoin")),
            "f.yaml:2: stores.a: unknown key \"Regoin\"; did you mean \"region\"?");
  EXPECT_EQ(Failure(Task("source:\n      zzz: 1")), "f.yaml:8: tasks[0].source: is given twice");
  EXPECT_EQ(Failure(With("bucket: src", "bukket: src")),
            "f.yaml:6: tasks[0].source: unknown key \"bukket\"; did you mean \"bucket\"?");
  EXPECT_EQ(Failure(With("bucket: src", "zzz: src")),
            "f.yaml:6: tasks[0].source: unknown key \"zzz\"; known here: store, bucket, prefix, "
            "requester_pays, expected_bucket_owner");
  EXPECT_EQ(Failure(Top("? [a]\n: b")), "f.yaml:8: ?: a key must be a text");
}

TEST_F(BadConfigTest, WhatIsMissingIsNamed) {
  EXPECT_EQ(Failure("stores: {}\n"), "f.yaml:1: lacks \"tasks\"");
  EXPECT_EQ(Failure("tasks: []\n"), "f.yaml:1: lacks \"stores\"");
  EXPECT_EQ(Failure("stores: {}\ntasks: []\n"), "f.yaml:2: tasks: is an empty list");
  EXPECT_EQ(Failure("stores: {}\ntasks:\n"), "f.yaml:2: tasks: must be a list, not nothing");
  EXPECT_EQ(Failure(With("bucket: src", "prefix: src")),
            "f.yaml:6: tasks[0].source: lacks \"bucket\"");
  EXPECT_EQ(Failure(With("provider: aws, ", "")), "f.yaml:2: stores.a: lacks \"provider\"");
  EXPECT_EQ(Failure(With(", region: us-east-1", "")),
            "f.yaml:2: stores.a: provider aws needs a region, such as eu-west-1 or cn-north-1, or "
            "an endpoint");
  EXPECT_EQ(Failure(With(", endpoint: \"http://127.0.0.1:9000\"", "")),
            "f.yaml:3: stores.b: provider minio needs an endpoint");
}

TEST_F(BadConfigTest, WrongTypesAreNamed) {
  EXPECT_EQ(Failure(Task("include: \"**\"")),
            "f.yaml:8: tasks[0].include: must be a list, not a text");
  EXPECT_EQ(Failure(Task("include: []")),
            "f.yaml:8: tasks[0].include: is an empty list: nothing would be brought (leave it out "
            "for everything)");
  EXPECT_EQ(Failure(Task("exclude: [[a]]")),
            "f.yaml:8: tasks[0].exclude[0]: must be a text, not a list");
  EXPECT_EQ(Failure(Task("exclude: [\"\"]")), "f.yaml:8: tasks[0].exclude[0]: is empty");
  EXPECT_EQ(Failure(Task("interval:")),
            "f.yaml:8: tasks[0].interval: has no value (an empty text is written \"\")");
  EXPECT_EQ(Failure(Task("interval: {a: b}")),
            "f.yaml:8: tasks[0].interval: must be a text, not a map");
  EXPECT_EQ(Failure(With("{store: a, bucket: src}", "a/src")),
            "f.yaml:6: tasks[0].source: must be a map of keys and values, not a text");
  EXPECT_EQ(Failure(Top("transfer: [a]")),
            "f.yaml:8: transfer: must be a map of keys and values, not a list");
  EXPECT_EQ(Failure(With("bucket: src", "bucket: !!binary c3Jj")),
            "f.yaml:6: tasks[0].source.bucket: has a YAML tag, which means nothing here");
}

TEST_F(BadConfigTest, SizesAndAgesThatNothingHasAreRefused) {
  const auto two = [&](const std::string& first, const std::string& second) {
    return Failure(Task(first) + "    " + second + "\n");
  };
  EXPECT_EQ(two("min_size: 2KiB", "max_size: 1KiB"),
            "f.yaml:9: tasks[0].max_size: is less than min_size: nothing would be brought");
  EXPECT_EQ(two("min_age: 1h", "max_age: 60m"),
            "f.yaml:9: tasks[0].max_age: is not more than min_age: nothing would be brought");
  EXPECT_EQ(two("min_size: 1KiB", "max_size: 1KiB"), "accepted");
  EXPECT_EQ(Failure(Task("max_size: -1B")),
            "f.yaml:8: tasks[0].max_size: \"-1B\" is not a size such as 16MiB (B KiB MiB GiB TiB)");
}

TEST_F(BadConfigTest, FilesThatAreNoConfigurationAreRefusedInOneLine) {
  EXPECT_EQ(Failure(""), "f.yaml:1: the file is empty");
  EXPECT_EQ(Failure("\n\n"), "f.yaml:1: the file is empty");
  EXPECT_EQ(Failure("# nothing yet\n"), "f.yaml:1: the file holds no keys");
  EXPECT_EQ(Failure("- a\n- b\n"), "f.yaml:1: the file must be a map of keys and values");
  EXPECT_EQ(Failure("just text\n"), "f.yaml:1: the file must be a map of keys and values");
  EXPECT_EQ(Failure(",\na: b\n"), "f.yaml:1: the file holds no keys");
  EXPECT_EQ(Failure("a: b\n---\nc: d\n"), "f.yaml:1: holds more than one YAML document");
  EXPECT_EQ(Failure("stores:\n  a: b\n\tc: d\n"),
            "f.yaml:3:1: not YAML: illegal tab when looking for indentation (a tab in the "
            "indentation: YAML wants spaces)");
  EXPECT_EQ(
      Failure("stores:\n\ta: b\n"),
      "f.yaml:2:3: not YAML: illegal map value (a tab in the indentation: YAML wants spaces)");
  EXPECT_EQ(Failure("stores: {a: [}\n").substr(0, 11), "f.yaml:1:14");
  EXPECT_EQ(Failure("a: b\nb: \xFF\n"), "f.yaml:2: is not UTF-8");
  EXPECT_EQ(Failure("a: b\x04\nb: c\n"), "f.yaml:1: holds a control character");
  EXPECT_EQ(Failure(std::string("\0a: b\n", 6)), "f.yaml:1: holds a control character");
  EXPECT_EQ(Failure(std::string(2'000'000, '#')), "f.yaml holds more than 1048576 bytes");
}

TEST_F(BadConfigTest, AFileThatCannotBeReadIsNamed) {
  const auto failure = [&](const std::filesystem::path& file) -> std::string {
    try {
      LoadConfig(file, environment);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConfig);
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(failure("/nowhere/f.yaml"), "cannot read /nowhere/f.yaml: No such file or directory");
  EXPECT_EQ(failure("/"), "cannot read /: Is a directory");
  EXPECT_EQ(failure("/a\nb"), "cannot read /a\\x0ab: No such file or directory");
}

TEST_F(BadConfigTest, EnvironmentNamesMustBeSetAndWhole) {
  EXPECT_EQ(Failure(With("src}", "\"${BUCKET}\"}")),
            "f.yaml:6: tasks[0].source.bucket: environment variable BUCKET is not set "
            "(${BUCKET:-default} would be a default)");
  EXPECT_EQ(Failure(With("bucket: src", "bucket: \"${1X}\"")),
            "f.yaml:6: tasks[0].source.bucket: what stands in ${} is not a name, nor "
            "NAME:-default (write $${ for a plain ${)");
  EXPECT_EQ(Failure(With("bucket: src", "bucket: \"${X\"")),
            "f.yaml:6: tasks[0].source.bucket: ${ without its } (write $${ for a plain ${)");
  EXPECT_EQ(Failure(With("bucket: src", "bucket: ${X}")),
            "f.yaml:6:33: not YAML: end of map flow not found (inside { } and [ ], write "
            "\"${NAME}\" with quotes)");
}

TEST_F(BadConfigTest, WhatWasFilledInNeverStandsInAnError) {
  environment.values["X"] = "hunter2";
  for (const std::string& text :
       {With("bucket: src", "bucket: \"../${X}\""), With("store: a", "store: \"${X}\""),
        With("name: media", "name: \"${X} \""), With("provider: aws", "provider: \"${X}\""),
        With("http://127.0.0.1:9000", "${X}"), With("http://127.0.0.1:9000", "http://${X}@h"),
        With("us-east-1", "\"${X}!\""), Task("interval: ${X}"), Task("adopt: ${X}"),
        Top("transfer: {memory: \"${X}\"}"), Top("transfer: {max_attempts: \"${X}\"}"),
        Top("database: postgresql://u:${X}@h@h/"), Top("database: ${X}"),
        Top("notify_targets: {t: {type: webhook, url: \"${X}\"}}"),
        Top("refresh_targets: {t: {type: \"${X}\"}}"), Top("database_schema: pg_${X}"),
        With("tasks:",
             "tasks:\n  - name: ${X}\n    source: {store: a, bucket: aaa}\n"
             "    destination: {store: b, bucket: aaa}\n  - name: ${X}\n"
             "    source: {store: a, bucket: aaa}\n"
             "    destination: {store: b, bucket: aaa}")}) {
    const std::string failure = Failure(text);
    EXPECT_NE(failure, "accepted") << text;
    EXPECT_EQ(failure.find("hunter"), std::string::npos) << failure;
  }
}

TEST_F(BadConfigTest, SecretsWrittenIntoTheFileNeverStandInAnErrorEither) {
  const auto credentials = [&](const std::string& lines) {
    return "stores:\n  a:\n    provider: aws\n    region: r\n    credentials:\n" + lines;
  };
  for (const std::string& text :
       {credentials("      access_key_id: k\n      secret_access_key:hunter2\n"),
        credentials("      access_key_id: k\n      secret:hunter2\n"),
        credentials("      access_key_id: k\n      hunter2/: x\n"),
        credentials("      access_key_id: k\n      secret_access_key: \"hunter2 \"\n"),
        credentials("      access_key_id: k\n      secret_access_key: *hunter2\n"),
        credentials("      access_key_id: k\n      secret_access_key: [hunter2]\n"),
        credentials("      secret_access_key: hunter2\n"), credentials("      hunter2\n"),
        credentials("      access_key_id: k\n      secret_access_key: \"hunter2\\q\"\n"),
        credentials("      access_key_id: k\n      secret_access_key: @hunter2\n"),
        credentials("      access_key_id: k\n      secret_access_key: x: hunter2\n"),
        std::string("database: postgresql://u:hunter2\n"),
        std::string("database: postgresql://u:hunt/hunter2@h/db\n"),
        std::string("database: postgresql://u:hunt?hunter2@h/db\n"),
        std::string("database: postgresql://u:hunt@hunter2@h/db\n"),
        std::string("database: mysql://u:hunter2@h/db\n"),
        With("http://127.0.0.1:9000", "http://u:hunter2@h"),
        With("http://127.0.0.1:9000", "http://h/hunter2"),
        With("http://127.0.0.1:9000", "http://h:hunter2")}) {
    const std::string failure = Failure(text);
    EXPECT_NE(failure, "accepted") << text;
    EXPECT_EQ(failure.find("hunter2"), std::string::npos) << failure;
  }
  EXPECT_EQ(Failure(credentials("      access_key_id: k\n      secret_access_key:hunter2\n")),
            "f.yaml:7: stores.a.credentials: a blank is missing after \"secret_access_key:\"");
}

TEST_F(BadConfigTest, ProvidersAndRegionsThatCannotBeAreRefused) {
  EXPECT_EQ(Failure(With("provider: aws", "provider: mino")),
            "f.yaml:2: stores.a.provider: \"mino\" is unknown; did you mean \"minio\"?");
  EXPECT_EQ(Failure(With("provider: aws", "provider: azure")),
            "f.yaml:2: stores.a.provider: \"azure\" is unknown; known here: aws, oss, cos, kodo, "
            "gcs, r2, minio, ceph, s3");
  EXPECT_EQ(Failure(With("provider: aws, region: us-east-1", "provider: r2")),
            "f.yaml:2: stores.a: provider r2 needs an endpoint");
  EXPECT_EQ(
      Failure(With("provider: aws, region: us-east-1", "provider: cos")),
      "f.yaml:2: stores.a: provider cos needs a region, such as ap-guangzhou, or an endpoint");
  EXPECT_EQ(
      Failure(With("provider: aws, region: us-east-1", "provider: oss, region: oss-cn-beijing")),
      "f.yaml:2: stores.a.region: write it without \"oss-\"");
  EXPECT_EQ(
      Failure(With("region: us-east-1",
                   "region: us-east-1, endpoint: \"https://s3.cn-north-1.amazonaws.com.cn\"")),
      "f.yaml:2: stores.a: region us-east-1 and endpoint s3.cn-north-1.amazonaws.com.cn "
      "belong to different partitions of AWS");
  EXPECT_EQ(Failure(With("provider: aws, region: us-east-1", "provider: gcs, dual_stack: true")),
            "f.yaml:2: stores.a: provider gcs has no endpoints of its own for both IP versions");
}

TEST_F(BadConfigTest, HabitsThatNobodyHasAreRefused) {
  const auto failure = [&](const std::string& habits) {
    return Failure(With("provider: aws", "provider: aws, habits: {" + habits + "}"));
  };
  EXPECT_EQ(failure("list_version: 3"),
            "f.yaml:2: stores.a.habits.list_version: \"3\" is not a whole number from 1 to 2");
  EXPECT_EQ(failure("etags: md5"),
            "f.yaml:2: stores.a.habits: unknown key \"etags\"; did you mean \"tags\"?");
  EXPECT_EQ(failure("part_size_min: 10GiB"),
            "f.yaml:2: stores.a.habits.part_size_min: \"10GiB\" is not within 1B..5GiB");
  EXPECT_EQ(Failure(With("provider: aws", "provider: aws, habits: {versions: false}") +
                    "    versions: pinned\n"),
            "f.yaml:8: tasks[0].versions: provider aws of the source names no versions");
}

TEST_F(BadConfigTest, NamesInATaskMustBeKnown) {
  EXPECT_EQ(Failure(With("store: a", "store: c")),
            "f.yaml:6: tasks[0].source.store: \"c\" is no store of this file; known: a, b");
  EXPECT_EQ(Failure(Task("refresh: [x]")),
            "f.yaml:8: tasks[0].refresh[0]: \"x\" is no refresh target of this file; known: none");
  EXPECT_EQ(Failure(Task("notify: [t, t]") +
                    "notify_targets: {t: {type: webhook, url: \"https://h\"}}\n"),
            "f.yaml:8: tasks[0].notify[1]: is named twice");
}

TEST_F(BadConfigTest, TaskNamesAreShortLowerCaseAndUnique) {
  EXPECT_EQ(Failure(With("name: media", "name: Media")),
            "f.yaml:5: tasks[0].name: \"Media\" holds capitals");
  EXPECT_EQ(
      Failure(With("name: media", "name: me_dia")),
      "f.yaml:5: tasks[0].name: \"me_dia\" holds other characters than letters, digits and -");
  EXPECT_EQ(Failure(With("name: media", "name: " + std::string(41, 'a'))),
            "f.yaml:5: tasks[0].name: is longer than 40 characters");
  EXPECT_EQ(Failure(With("name: media", "name: " + std::string(40, 'a'))), "accepted");
  EXPECT_EQ(Failure(Top("  - name: media\n    source: {store: a, bucket: s-2}\n"
                        "    destination: {store: b, bucket: d-2}")),
            "f.yaml:8: tasks[1].name: \"media\" is the name of an earlier task");
}

TEST_F(BadConfigTest, WhatToDeleteAndHowMuchIsStrict) {
  EXPECT_EQ(Failure(Task("delete: extras")),
            "f.yaml:8: tasks[0].delete: \"extras\" is unknown; did you mean \"extra\"?");
  EXPECT_EQ(Failure(Task("max_delet: 1")),
            "f.yaml:8: tasks[0]: unknown key \"max_delet\"; did you mean \"max_delete\"?");
  for (const char* bad : {"-1", "101%", "1.5%", "10 %", "%", "ten", "5%x", "1000000000001", "+1"}) {
    EXPECT_EQ(Failure(Task("max_delete: \"" + std::string(bad) + "\"")),
              "f.yaml:8: tasks[0].max_delete: \"" + std::string(bad) +
                  "\" is neither a count (100) nor a percentage (0% to 100%)");
  }
  for (const char* good : {"0", "100", "0%", "100%", "1000000000000"}) {
    EXPECT_EQ(Failure(Task("max_delete: " + std::string(good))), "accepted") << good;
  }
}

TEST_F(BadConfigTest, NobodyDeletesWhereAnotherTaskWrites) {
  const auto second = [this](const std::string& prefix, const std::string& more) {
    return Task("delete: never") + "  - name: other\n    source: {store: a, bucket: src-2}\n" +
           "    destination: {store: b, bucket: dst, prefix: \"" + prefix + "\"}\n" + more;
  };
  const std::string deletes = "    delete: extra\n";
  EXPECT_EQ(Failure(second("x/", deletes)),
            "f.yaml:11: tasks[1].destination: overlaps the destination of task media, and task "
            "other deletes there (delete: extra): give each a prefix of its own, or delete: never");
  EXPECT_EQ(Failure(second("x/", "")), "accepted");
  std::string text = second("x/", "");
  text.replace(text.find("delete: never"), 13, "delete: extra-all");
  EXPECT_EQ(Failure(text),
            "f.yaml:11: tasks[1].destination: overlaps the destination of task media, and task "
            "media deletes there (delete: extra-all): give each a prefix of its own, or delete: "
            "never");
  text = second("x/", deletes);
  text.replace(text.find("bucket: dst}"), 12, "bucket: dst, prefix: \"y/\"}");
  EXPECT_EQ(Failure(text), "accepted");  // apart
  // One place under two names of a store.
  text = second("", deletes);
  text.replace(text.find("tasks:"), 0,
               "  c: {provider: s3, endpoint: \"http://localhost:9000\"}\n");
  text.replace(text.rfind("store: b"), 8, "store: c");
  EXPECT_NE(Failure(text).find("overlaps the destination of task media"), std::string::npos);
}

TEST_F(BadConfigTest, SizesAndTimesAreStrictAndWithinTheirLimits) {
  const struct {
    const char* key;
    const char* value;
    const char* failure;
  } cases[] = {
      {"part_size", "4MiB", "\"4MiB\" is not within 5MiB..5GiB"},
      {"part_size", "6GiB", "\"6GiB\" is not within 5MiB..5GiB"},
      {"part_size", "16MB", "\"16MB\" is not a size such as 16MiB (B KiB MiB GiB TiB)"},
      {"part_size", "16 MiB", "\"16 MiB\" is not a size such as 16MiB (B KiB MiB GiB TiB)"},
      {"part_size", "16", "\"16\" is not a size such as 16MiB (B KiB MiB GiB TiB)"},
      {"part_size", "-16MiB", "\"-16MiB\" is not a size such as 16MiB (B KiB MiB GiB TiB)"},
      {"part_size", "99999999999TiB",
       "\"99999999999TiB\" is not a size such as 16MiB (B KiB MiB GiB TiB)"},
      {"memory", "7MiB", "\"7MiB\" is not within 8MiB..1TiB"},
      {"multipart_threshold", "0B", "\"0B\" is not within 1MiB..5GiB"},
      {"lease", "9s", "\"9s\" is not within 10s..10m"},
      {"lease", "1d", "\"1d\" is not within 10s..10m"},
      {"lease", "60", "\"60\" is not a time such as 90s (s m h d)"},
      {"lease", "1m30s", "\"1m30s\" is not a time such as 90s (s m h d)"},
      {"outage_patience", "0", "\"0\" is not within 1s..7d"},
      {"abandoned_after", "59m", "\"59m\" is not within 1h..366d"},
      {"concurrency", "0", "\"0\" is not a whole number from 1 to 1024"},
      {"concurrency", "1025", "\"1025\" is not a whole number from 1 to 1024"},
      {"concurrency", "many", "\"many\" is neither auto nor a whole number from 1 to 1024"},
      {"congestion_control", "BBR", "\"BBR\" is not auto, system or a kernel's name such as bbr"},
      {"congestion_control", "a-name-of-16-byte",
       "\"a-name-of-16-byte\" is not auto, system or a kernel's name such as bbr"},
      {"max_attempts", "0x5", "\"0x5\" is not a whole number from 1 to 100"},
      {"server_side_copy", "yes", "\"yes\" is unknown; known here: auto, off"},
      {"max_attempts", "101", "\"101\" is not a whole number from 1 to 100"},
  };
  for (const auto& c : cases) {
    const std::string key = c.key;
    EXPECT_EQ(Failure(Top("transfer: {" + key + ": " + c.value + "}")),
              "f.yaml:8: transfer." + key + ": " + c.failure);
  }
  EXPECT_EQ(Failure(Task("interval: 367d")),
            "f.yaml:8: tasks[0].interval: \"367d\" is not within 0s..366d");
}

TEST_F(BadConfigTest, ATaskMayNotWriteIntoWhatItReads) {
  const auto failure = [&](const std::string& stores, const std::string& source,
                           const std::string& destination) {
    return Failure("stores: {" + stores + "}\ntasks:\n  - name: t\n    source: {bucket: one, " +
                   source + "}\n    destination: {bucket: one, " + destination + "}\n");
  };
  const std::string same = "f.yaml:5: tasks[0].destination: source and destination are the same";
  const std::string nested =
      "f.yaml:5: tasks[0].destination: source and destination are one bucket, and the prefix of "
      "one begins with the other's: a run would bring what the last one wrote";
  const std::string one = "a: {provider: s3, endpoint: \"http://localhost\"}";
  EXPECT_EQ(failure(one, "store: a", "store: a"), same);
  EXPECT_EQ(failure(one, "store: a, prefix: x/", "store: a, prefix: x/"), same);
  EXPECT_EQ(failure(one, "store: a", "store: a, prefix: x/"), nested);
  EXPECT_EQ(failure(one, "store: a, prefix: x/y/", "store: a, prefix: x/"), nested);
  EXPECT_EQ(failure(one, "store: a, prefix: x", "store: a, prefix: xy"), nested);
  EXPECT_EQ(failure(one, "store: a, prefix: x/", "store: a, prefix: y/"), "accepted");
  const std::string two_names = one + ", b: {provider: ceph, endpoint: \"HTTP://127.0.0.1:80/\"}";
  EXPECT_EQ(failure(two_names, "store: a", "store: b"), same);
  const std::string two_schemes = one + ", b: {provider: s3, endpoint: \"https://localhost\"}";
  EXPECT_EQ(failure(two_schemes, "store: a", "store: b"), same);
  const std::string two_ports = one + ", b: {provider: ceph, endpoint: \"http://localhost:81\"}";
  EXPECT_EQ(failure(two_ports, "store: a", "store: b"), "accepted");
  // Bucket names are unique within an AWS partition, whatever the region.
  const std::string regions =
      "a: {provider: aws, region: us-east-1}, b: {provider: aws, region: eu-west-1}, "
      "c: {provider: aws, region: cn-north-1}";
  EXPECT_EQ(failure(regions, "store: a", "store: b"), same);
  EXPECT_EQ(failure(regions, "store: a", "store: c"), "accepted");
}

TEST_F(BadConfigTest, BucketsPrefixesAndSchemasAreHeldToTheirLimits) {
  for (const std::string bucket : {"ab", "a/b", "..", "../etc", ".abc", "abc.", "a..b", "a b"}) {
    EXPECT_NE(Failure(With("bucket: src", "bucket: \"" + bucket + "\"")), "accepted") << bucket;
  }
  EXPECT_EQ(Failure(With("bucket: src", "bucket: Old_Bucket.1")), "accepted");
  EXPECT_EQ(Failure(With("bucket: src", "bucket: src, prefix: " + std::string(1025, 'p'))),
            "f.yaml:6: tasks[0].source.prefix: is longer than 1024 bytes");
  for (const std::string schema : {"Ferry", "1a", "pg_x", "a-b", "\"a;b\""}) {
    EXPECT_NE(Failure(Top("database_schema: " + schema)), "accepted") << schema;
  }
  for (const std::string history : {"0", "23h", "3651d", "30", "-1d", "forever"}) {
    EXPECT_NE(Failure(Top("history: " + history)), "accepted") << history;
  }
  EXPECT_EQ(Failure(Top("history: 24h")), "accepted");
  EXPECT_EQ(Failure(With("  a: {", "  \"a b\": {")),
            "f.yaml:2: stores.?: a name here is 1 to 40 letters, digits, _ and -");
}

TEST_F(BadConfigTest, TargetsAreCheckedByTheirType) {
  const auto failure = [&](const std::string& target) {
    return Failure(Top("refresh_targets: {t: " + target + "}"));
  };
  EXPECT_EQ(failure("{}"), "f.yaml:8: refresh_targets.t: lacks \"type\"");
  EXPECT_EQ(failure("{type: rclon}"),
            "f.yaml:8: refresh_targets.t.type: \"rclon\" is unknown; did you mean \"rclone\"?");
  EXPECT_EQ(failure("{type: rclone}"), "f.yaml:8: refresh_targets.t: lacks \"url\"");
  EXPECT_EQ(failure("{type: webhook, url: \"https://h\", fs: x}"),
            "f.yaml:8: refresh_targets.t: unknown key \"fs\"; known here: type, timeout, "
            "url, token_file, body");
  EXPECT_EQ(failure("{type: webhook, url: \"ftp://h\"}"),
            "f.yaml:8: refresh_targets.t.url: must begin with http:// or https://");
  EXPECT_EQ(failure("{type: webhook, url: \"https:///x\"}"),
            "f.yaml:8: refresh_targets.t.url: names no host");
  EXPECT_EQ(failure("{type: command, argv: []}"),
            "f.yaml:8: refresh_targets.t.argv: names no program");
  EXPECT_EQ(failure("{type: storage-gateway, file_share: x, region: r}"),
            "f.yaml:8: refresh_targets.t.file_share: must be the ARN of a file share");
}

TEST_F(BadConfigTest, TheDatabaseIsEmbeddedOrAUri) {
  EXPECT_EQ(Failure(Top("database: embeded")),
            "f.yaml:8: database: must be embedded or postgresql://...");
  EXPECT_EQ(Failure(Top("database: postgresql://h:x/d")),
            "f.yaml:8: database: the port is not a number from 1 to 65535");
  environment.values["BUCKETFERRY_DATABASE"] = "mysql://u:hunter2@h";
  EXPECT_EQ(Failure(kSmallest), "$BUCKETFERRY_DATABASE: must be embedded or postgresql://...");
  for (const char* uri :
       {"postgresql://", "postgresql:///db", "postgres://u@h1:5432,h2/db?target_session_attrs=any",
        "postgresql://[::1]:5432/db", "postgresql://%2Frun%2Fpostgresql/db",
        "postgresql://u:p%40ss@h/db?sslmode=verify-full"}) {
    environment.values["BUCKETFERRY_DATABASE"] = uri;
    EXPECT_EQ(Failure(kSmallest), "accepted") << uri;
  }
}

TEST_F(BadConfigTest, BombsAreBoundedInDepthInValuesAndInTime) {
  const auto repeat = [](const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
  };
  EXPECT_EQ(Failure("a: " + repeat("[", 100'000)), "f.yaml:1:1: nested too deeply");
  EXPECT_EQ(Failure(repeat("{a: ", 100'000)), "f.yaml:1:1: nested too deeply");
  EXPECT_EQ(Failure(repeat("- ", 100'000)), "f.yaml:1:1000: nested too deeply");

  std::string laughs = "x0: &x0 [lol]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string last = "*x" + std::to_string(i - 1);
    const std::string name = "x" + std::to_string(i);
    laughs += name + ": &" + name + " [" + repeat(last + ", ", 9) + last + "]\n";
  }
  EXPECT_EQ(Failure(laughs).substr(0, 27), "f.yaml:1: unknown key \"x0\";");

  std::string many = "stores:\n  a: {provider: aws, region: r}\ntasks:\n";
  for (int i = 0; i < 900; ++i) {
    many += "  - {name: t" + std::to_string(i) +
            ", source: {store: a, bucket: src}, destination: {store: a, bucket: dst}, include: " +
            (i == 0 ? "&p [" + repeat("aaaaaaa,", 9000) + "b]" : "*p") + "}\n";
  }
  EXPECT_NE(Failure(many).find("the file holds more than 16MiB of values"), std::string::npos);
}

}  // namespace
}  // namespace ferry
