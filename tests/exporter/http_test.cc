#include "exporter/http.h"

#include <gtest/gtest.h>

#include <sstream>

namespace ferry::exporter {
namespace {

std::string TextOf(const Body& body) {
  std::ostringstream text;
  body.WriteText(text);
  return text.str();
}

TEST(Body, IsPackedWhereThatSavesRoom) {
  const Body small("healthy\n");
  EXPECT_FALSE(small.is_packed());
  EXPECT_EQ(small.bytes(), "healthy\n");
  EXPECT_EQ(TextOf(small), "healthy\n");
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "bucketferry_" + std::to_string(i) + "\n";
  const Body large(text);
  EXPECT_TRUE(large.is_packed());
  EXPECT_LT(large.bytes().size(), text.size() / 3);
  EXPECT_EQ(large.text_size(), text.size());
  EXPECT_EQ(TextOf(large), text);
  EXPECT_EQ(TextOf(Body("")), "");
}

TEST(HttpRequest, HasParameters) {
  HttpRequest request;
  request.query = {{"a", "1"}, {"b", ""}, {"a", "2"}};
  EXPECT_EQ(request.Parameter("a"), "1");
  EXPECT_EQ(request.Parameter("b"), "");
  EXPECT_EQ(request.Parameter("c"), "");
}

}  // namespace
}  // namespace ferry::exporter
