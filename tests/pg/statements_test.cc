#include "batch/pg/statements.h"

#include <gtest/gtest.h>

#include "batch/base/error.h"

namespace ferry::pg {
namespace {

TEST(Statements, TheQualifierBecomesTheConfiguredSchema) {
  EXPECT_EQ(ForSchema("select * from bucketferry.job j join bucketferry.run using (run_id)", "a b"),
            "select * from \"a b\".job j join \"a b\".run using (run_id)");
}

TEST(Statements, AWordThatOnlyEndsInItStays) {
  EXPECT_EQ(ForSchema("select my_bucketferry.x, 'bucketferry'", "s"),
            "select my_bucketferry.x, 'bucketferry'");
}

TEST(Statements, QuotesWithinASchemaNameAreDoubled) {
  EXPECT_EQ(ForSchema("bucketferry.job", "a\"b"), "\"a\"\"b\".job");
}

TEST(Statements, TextsAreFoundByName) {
  const SqlText table[] = {{"queries/one", "select 1 from bucketferry.run"}};
  const Statements statements("mine", table);
  EXPECT_EQ(statements.Text("queries/one"), "select 1 from \"mine\".run");
  EXPECT_TRUE(statements.Has("queries/one"));
  EXPECT_FALSE(statements.Has("queries/two"));
}

TEST(StatementsDeathTest, AnUnknownNameEndsTheProgram) {
  const Statements statements("mine", {});
  EXPECT_DEATH(statements.Text("queries/none"), "no file sql/queries/none.sql");
}

TEST(Statements, NamesThatCannotBeASchemaAreRefused) {
  for (const std::string& name : {std::string(), std::string("pg_mine"), std::string(64, 'x')}) {
    EXPECT_THROW(Statements(name, {}), Error) << name;
  }
}

}  // namespace
}  // namespace ferry::pg
