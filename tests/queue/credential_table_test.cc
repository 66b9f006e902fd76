#include "batch/queue/credential_table.h"

#include "tests/queue/queue_fixture.h"

namespace ferry {
namespace {

class CredentialTableTest : public QueueFixture {
 protected:
  enum class Word { kAccepted, kRefused };
  void Tell(Word word, std::optional<std::int64_t> expires_at_ms = {}, bool news = true) {
    CredentialReport report;
    report.task = "media";
    report.side = "source";
    report.refused = word == Word::kRefused;
    report.expires_at_ms = expires_at_ms;
    report.news = news;
    TellCredentials(session_, {report});
  }
  void TellAgain(Word word) { Tell(word, {}, /*news=*/false); }
  bool Refused() {
    return Ask<bool>(
        "select coalesce(refused_at > accepted_at, refused_at is not null) as v"
        " from bucketferry.credential where task_name = 'media' and side = 'source'");
  }
  std::string Version() {
    return Ask<std::string>("select xmin::text as v from bucketferry.credential");
  }
  void LetPass(const std::string& time) {
    Run("update bucketferry.credential set accepted_at = accepted_at - $1::interval,"
        " refused_at = refused_at - $1::interval",
        time);
  }
};

TEST_F(CredentialTableTest, TheLastWordStands) {
  Tell(Word::kRefused);
  EXPECT_TRUE(Refused());
  Tell(Word::kAccepted);
  EXPECT_FALSE(Refused());
  Tell(Word::kRefused);
  EXPECT_TRUE(Refused());
}

TEST_F(CredentialTableTest, AWordThatIsKnownWritesNoRow) {
  Tell(Word::kAccepted, 1'000);
  const std::string before = Version();
  Tell(Word::kAccepted, 1'000);
  TellAgain(Word::kAccepted);
  EXPECT_EQ(Version(), before);
}

TEST_F(CredentialTableTest, KnowsUntilWhenTheKeysAreGood) {
  const auto expires = [&] {
    return Ask<std::optional<std::int64_t>>(
        "select (extract(epoch from expires_at) * 1000)::bigint as v from bucketferry.credential");
  };
  Tell(Word::kAccepted, 1'255'369'830'250);
  EXPECT_EQ(expires(), 1'255'369'830'250);
  Tell(Word::kAccepted, 1'255'369'840'000);
  EXPECT_EQ(expires(), 1'255'369'840'000);
  TellAgain(Word::kAccepted);
  EXPECT_EQ(expires(), 1'255'369'840'000);
  Tell(Word::kAccepted);
  EXPECT_EQ(expires(), std::nullopt);
}

// One worker has other keys than the rest: neither hides what the other met.
TEST_F(CredentialTableTest, OfTwoThatAreToldOtherwiseEachIsSeenForAWhile) {
  Tell(Word::kAccepted);
  Tell(Word::kRefused);
  TellAgain(Word::kAccepted);
  EXPECT_TRUE(Refused());
  LetPass("11 minutes");
  TellAgain(Word::kAccepted);
  EXPECT_FALSE(Refused());
  TellAgain(Word::kRefused);
  EXPECT_FALSE(Refused());
  LetPass("11 minutes");
  TellAgain(Word::kRefused);
  EXPECT_TRUE(Refused());
}

TEST_F(CredentialTableTest, NothingToTellAsksNothing) {
  TellCredentials(session_, {});
  EXPECT_EQ(Ask<std::int64_t>("select count(*) as v from bucketferry.credential"), 0);
}

}  // namespace
}  // namespace ferry
