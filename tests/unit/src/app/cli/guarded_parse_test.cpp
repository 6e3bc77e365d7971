// What the parser of configuration files does to its process reaches nobody but that process.
#include "src/app/cli/guarded_parse.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace app {
namespace {

using testing::HasSubstr;

std::string why(const std::string& text, const ConfigParser& parse = parse_config) {
  auto parsed = parse_guarded(text, "a.toml", parse);
  return parsed ? "" : parsed.why();
}

TEST(GuardedParse, ReturnsWhatTheParserReturns) {
  auto parsed = parse_guarded("address = [\"10.77.0.2/24\", \"fd77::2/64\"]\ntun = true\n", "a.toml");
  ASSERT_TRUE(parsed) << parsed.why();
  EXPECT_EQ(*parsed,
            (std::vector<ConfigEntry>{{"address", "10.77.0.2/24"}, {"address", "fd77::2/64"}, {"tun", "true"}}));
  EXPECT_THAT(why("tun = maybe\n"), HasSubstr("a.toml:1: "));
  EXPECT_TRUE(parse_guarded("", "a.toml"));
}

TEST(GuardedParse, DeeplyNestedAndUnclosedTextsEndInASentence) {
  for (const auto& text : {std::string(1000, '['), std::string(100'000, '['), "a = " + std::string(100'000, '['),
                           "a = " + std::string(100'000, '{'), std::string("address = [}10"),
                           std::string("address = [}10.77.0.2/24\"]\n"), std::string("a = [1, {b = [}]\n"),
                           std::string("a.") + std::string(100'000, 'b') + ".", std::string("\"\"\"")})
    EXPECT_THAT(why(text), HasSubstr("a.toml")) << text.substr(0, 40);
}

TEST(GuardedParse, AParserThatDiesIsSurvived) {
  using P = Parsed<std::vector<ConfigEntry>>;
  EXPECT_THAT(why("x", [](std::string_view, const std::string&) -> P { std::abort(); }),
              HasSubstr("a.toml: the TOML parser gives up on it (Aborted)"));
  EXPECT_THAT(why("x", [](std::string_view, const std::string&) -> P { throw std::bad_alloc(); }),
              HasSubstr("not enough memory"));
  EXPECT_THAT(why("x", [](std::string_view, const std::string&) -> P { std::_Exit(7); }), HasSubstr("gives up"));
}

}  // namespace
}  // namespace app
