#include "src/app/cli/option_values.hpp"

#include <gtest/gtest.h>

#include "src/app/cli/exit_status.hpp"

namespace app {
namespace {

using namespace std::chrono_literals;

TEST(OptionValues, Durations) {
  EXPECT_EQ(*parse_duration("20ms"), stack::Duration{20ms});
  EXPECT_EQ(*parse_duration("1.5s"), stack::Duration{1500ms});
  EXPECT_EQ(*parse_duration("100us"), stack::Duration{100us});
  EXPECT_EQ(*parse_duration("7"), stack::Duration{7ms});
  for (const char* bad : {"", "ms", "-1ms", "11s", "1e3s", "nan", "inf", "5 ms", "5m"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(OptionValues, Impairment) {
  auto all = parse_impairment("loss=1%,delay=20ms,reorder=0.02,duplicate=100%");
  ASSERT_TRUE(all);
  EXPECT_DOUBLE_EQ(all->loss, 0.01);
  EXPECT_DOUBLE_EQ(all->reorder, 0.02);
  EXPECT_DOUBLE_EQ(all->duplicate, 1.0);
  EXPECT_EQ(all->delay, stack::Duration{20ms});
  for (const char* bad : {"", "loss", "loss=", "loss=-1%", "loss=101%", "jitter=1%", "loss=1%%", "=1%"})
    EXPECT_FALSE(parse_impairment(bad)) << bad;
}

TEST(OptionValues, DriverParameters) {
  EXPECT_EQ(*parse_driver_parameter("passthrough:mode=robust"), (DriverParameter{"passthrough", "mode", "robust"}));
  EXPECT_EQ(*parse_driver_parameter("./a:b.so:x=a=b:c"), (DriverParameter{"./a:b.so", "x", "a=b:c"}));
  EXPECT_EQ(*parse_driver_parameter("d:v="), (DriverParameter{"d", "v", ""}));
  for (const char* bad : {"", "d", "d:v", ":v=1", "d:=1", "v=1", "=d:v"})
    EXPECT_FALSE(parse_driver_parameter(bad)) << bad;
}

TEST(OptionValues, Owners) {
  auto owner = parse_owner("http:pid=4,path=\\device\\harddiskvolume1\\web.exe,user=S-1-5-18");
  ASSERT_TRUE(owner);
  EXPECT_EQ(owner->process_id, 4u);
  EXPECT_EQ(owner->process_path, "\\device\\harddiskvolume1\\web.exe");
  for (const char* bad : {"http", "ftp:pid=1", "http:pid=x", "http:user=root", "http:path=", "http:size=1"})
    EXPECT_FALSE(parse_owner(bad)) << bad;
}

TEST(OptionValues, Cidr) {
  EXPECT_TRUE(parse_cidr("fd77::2/64"));
  for (const char* bad :
       {"10.0.0.1", "0.0.0.0/8", "224.0.0.1/4", "127.0.0.1/8", "10.0.0.1/0", "10.0.0.1/33", "x/1", ""})
    EXPECT_FALSE(parse_cidr(bad)) << bad;
}

TEST(OptionValues, CongestionControls) {
  EXPECT_EQ(*parse_congestion("cubic"), stack::tcp::CongestionAlgorithm::Cubic);
  EXPECT_EQ(*parse_congestion("newreno"), stack::tcp::CongestionAlgorithm::NewReno);
  for (const char* bad : {"", "Cubic", "reno", "cubic ", "bbr"}) EXPECT_FALSE(parse_congestion(bad)) << bad;
}

TEST(ExitStatus, ABrokenRuleDecidesWhateverBecameOfTheCommand) {
  const ExitStatus verifier{ExitReason::Verifier, 3};
  EXPECT_EQ(decide_exit({ExitReason::Command, 0, 0}, {}, true), verifier);
  EXPECT_EQ(decide_exit({ExitReason::Command, 7, 0}, {}, true), verifier);
  EXPECT_EQ(decide_exit({ExitReason::Command, 7, 0}, 7, true), verifier);
  EXPECT_EQ(decide_exit({ExitReason::Timeout, 143, 0}, {}, true), verifier);
  EXPECT_EQ(decide_exit({ExitReason::Signal, 130, 2}, {}, true), (ExitStatus{ExitReason::Signal, 130}));
  EXPECT_EQ(decide_exit({ExitReason::Setup, 2, 0}, {}, true), (ExitStatus{ExitReason::Setup, 2}));
}

TEST(ExitStatus, WithoutOneTheCommandDecides) {
  EXPECT_EQ(decide_exit({ExitReason::Command, 7, 0}, {}, false), (ExitStatus{ExitReason::Command, 7}));
  EXPECT_EQ(decide_exit({ExitReason::Command, 0, 0}, {}, false), (ExitStatus{ExitReason::Command, 0}));
  EXPECT_EQ(decide_exit({ExitReason::Timeout, 143, 0}, {}, false), (ExitStatus{ExitReason::Timeout, 124}));
  EXPECT_EQ(decide_exit({ExitReason::Signal, 130, 2}, {}, false), (ExitStatus{ExitReason::Signal, 130}));
}

TEST(ExitStatus, TheExpectedCodeIsSuccess) {
  const auto exit_of = [](int code, int expected) {
    return decide_exit({ExitReason::Command, code, 0}, expected, false);
  };
  EXPECT_EQ(exit_of(28, 28), (ExitStatus{ExitReason::Command, 0}));
  EXPECT_EQ(exit_of(0, 0), (ExitStatus{ExitReason::Command, 0}));
  EXPECT_EQ(exit_of(7, 28), (ExitStatus{ExitReason::Command, 7}));
  EXPECT_EQ(exit_of(0, 28), (ExitStatus{ExitReason::Command, 1})) << "a success that was not wanted is none";
  EXPECT_EQ(decide_exit({ExitReason::Timeout, 143, 0}, 124, false), (ExitStatus{ExitReason::Timeout, 124}))
      << "not the code of COMMAND";
  EXPECT_EQ(missed_expectation({ExitReason::Command, 0, 0}, 28), "COMMAND ended with 0, and --expect wanted 28");
  EXPECT_EQ(missed_expectation({ExitReason::Command, 28, 0}, 28), "");
  EXPECT_EQ(missed_expectation({ExitReason::Command, 7, 0}, {}), "");
  EXPECT_EQ(missed_expectation({ExitReason::Timeout, 143, 0}, 28), "");
}

TEST(ExitStatus, LastLine) {
  EXPECT_EQ(last_line({ExitReason::Command, 7}), "wfptap: exit reason=command code=7\n");
  for (auto reason : {ExitReason::Command, ExitReason::Verifier, ExitReason::Setup, ExitReason::Signal,
                      ExitReason::Timeout, ExitReason::Fault})
    EXPECT_EQ(exit_reason_named(name_of(reason)), reason);
}

TEST(Sizes, UnitsAndBounds) {
  EXPECT_EQ(*parse_size("4096"), 4'096u);
  EXPECT_EQ(*parse_size("64k"), 65'536u);
  EXPECT_EQ(*parse_size("16M"), std::size_t{16} << 20);
  EXPECT_EQ(*parse_size("2G"), std::size_t{2} << 30);
  for (const char* wrong : {"", "M", "-1", "1.5M", "10T", "64 M", "99999999999G"})
    EXPECT_FALSE(parse_size(wrong)) << wrong;
}

}  // namespace
}  // namespace app
