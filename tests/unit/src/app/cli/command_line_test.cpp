#include "src/app/cli/command_line.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace app {
namespace {

using Arguments = std::vector<std::string>;

CommandLine accepted(const Arguments& arguments) {
  auto result = parse_command_line(arguments);
  if (auto* end = std::get_if<EndEarly>(&result)) {
    ADD_FAILURE() << end->text;
    return {};
  }
  return std::get<CommandLine>(result);
}

std::string refused(const Arguments& arguments) {
  auto result = parse_command_line(arguments);
  auto* end = std::get_if<EndEarly>(&result);
  if (end == nullptr) {
    ADD_FAILURE() << "accepted";
    return {};
  }
  EXPECT_EQ(end->code, 2) << end->text;
  return end->text;
}

void expect_refused(const Arguments& arguments, const std::string& because) {
  const auto text = refused(arguments);
  EXPECT_NE(text.find(because), std::string::npos) << text;
  EXPECT_NE(text.find("--help"), std::string::npos) << text;
}

TEST(CommandLine, TestHasTheDocumentedDefaults) {
  const auto line = accepted({"test", "passthrough", "--", "curl", "-s", "http://10.77.0.2/"});
  EXPECT_EQ(line.command, Command::Test);
  EXPECT_EQ(line.test.command, (Arguments{"curl", "-s", "http://10.77.0.2/"}));
  const auto& run = line.test.run;
  EXPECT_EQ(run.drivers, Arguments{"passthrough"});
  ASSERT_EQ(run.node.addresses.size(), 2u);
  EXPECT_EQ(run.node.addresses[0], *stack::IpPrefix::parse("10.77.0.2/24"));
  EXPECT_EQ(run.node.addresses[1], *stack::IpPrefix::parse("fd77::2/64"));
  ASSERT_EQ(run.node.host_addresses.size(), 2u);
  EXPECT_EQ(run.node.device, "wfp0");
  EXPECT_TRUE(run.node.offload);
  EXPECT_TRUE(run.node.io_uring);
  EXPECT_TRUE(run.sandbox);
  EXPECT_EQ(run.node.endpoint_metadata, node::EndpointMetadata::Windows);
  EXPECT_EQ(run.node.tcp_congestion, stack::tcp::CongestionAlgorithm::Cubic);
  EXPECT_EQ(run.services.size(), 5u);
  EXPECT_EQ(line.test.timeout.count(), 0);
}

TEST(CommandLine, EverythingAfterTheFirstSeparatorIsTheCommands) {
  const auto line = accepted({"test", "--", "sh", "--help", "--", "-c", "--tap=x"});
  EXPECT_EQ(line.test.command, (Arguments{"sh", "--help", "--", "-c", "--tap=x"}));
  EXPECT_TRUE(line.test.run.drivers.empty());
  EXPECT_EQ(line.test.run.node.device, "wfp0");
}

TEST(CommandLine, RepeatableOptionsDoNotSwallowDrivers) {
  const auto line = accepted({"test", "--param", "passthrough:mode=robust", "passthrough", "--address", "10.1.0.2/24",
                              "other", "--host-address", "10.1.0.1/24", "--driver", "third", "--", "true"});
  EXPECT_EQ(line.test.run.drivers, (Arguments{"passthrough", "other", "third"}));
  ASSERT_EQ(line.test.run.parameters.size(), 1u);
  EXPECT_EQ(line.test.run.parameters[0], (DriverParameter{"passthrough", "mode", "robust"}));
  EXPECT_EQ(line.test.run.node.addresses.size(), 1u);
}

TEST(CommandLine, TestWithoutCommandSaysHowToGiveOne) {
  expect_refused({"test", "passthrough"}, "after --");
  expect_refused({"test", "passthrough", "--"}, "after --");
}

TEST(CommandLine, TestIsToldWhatToExpect) {
  const auto plain = accepted({"test", "--", "true"});
  EXPECT_FALSE(plain.test.expected_code);
  EXPECT_FALSE(plain.test.strict);
  const auto line = accepted({"test", "--expect", "28", "block", "--strict", "--", "true"});
  EXPECT_EQ(line.test.expected_code, 28);
  EXPECT_TRUE(line.test.strict);
  EXPECT_EQ(line.test.run.drivers, (Arguments{"block"}));
  expect_refused({"test", "--expect", "256", "--", "true"}, "--expect");
  expect_refused({"run", "--expect", "0"}, "--expect");
}

TEST(CommandLine, OnlyTestTakesACommand) { expect_refused({"run", "--", "true"}, "only 'wfptap test'"); }

TEST(CommandLine, MoreQueuesComeLater) {
  expect_refused({"run", "--queues", "2"}, "only --queues 1 works");
  EXPECT_EQ(accepted({"run", "--queues", "1"}).command, Command::Run);
}

TEST(CommandLine, RunStartsNoServiceUnlessAsked) {
  EXPECT_TRUE(accepted({"run"}).test.run.services.empty());
  const auto run = accepted({"run", "--service", "http:8080", "--service", "echo"}).test.run;
  EXPECT_EQ(run.services, (std::vector<ServiceOption>{{"http", 8080}, {"echo", 7}}));
  EXPECT_TRUE(accepted({"test", "--service", "none", "--", "true"}).test.run.services.empty());
}

TEST(CommandLine, WrongValuesAreNamed) {
  expect_refused({"run", "--address", "10.77.0.2"}, "prefix length");
  expect_refused({"run", "--address", "10.77.0/24"}, "10.77.0.2/24");
  expect_refused({"run", "--address", "10.77.0.1/24"}, "both the stack's");
  expect_refused({"run", "--address", "192.0.2.1/24"}, "--host-address");
  expect_refused({"run", "--offload", "maybe"}, "on nor off");
  expect_refused({"run", "--mtu", "100"}, "1280");
  expect_refused({"run", "--mtu", "many"}, "mtu");
  expect_refused({"run", "--tap", "a-name-that-is-too-long"}, "15");
  expect_refused({"run", "--param", "mode=robust"}, "DRIVER:VALUE=DATA");
  expect_refused({"run", "--service", "gopher"}, "echo, discard");
  expect_refused({"run", "--service", "http:99999"}, "65535");
  expect_refused({"run", "--service", "http:7", "--service", "echo"}, "two services");
  expect_refused({"run", "--verify", "some"}, "standard");
  expect_refused({"run", "--sandbox", "maybe"}, "--sandbox");
  EXPECT_FALSE(accepted({"run", "--sandbox", "off"}).test.run.sandbox);
  expect_refused({"run", "--impair", "loss=200%"}, "0% and 100%");
  expect_refused({"run", "--on-hang", "pray"}, "--on-hang: 'pray' is neither report nor stop");
  expect_refused({"run", "--congestion", "vegas"}, "--congestion: 'vegas' is neither cubic nor newreno");
  expect_refused({"run", "--log-level", "loud"}, "warning");
  expect_refused({"run", "--gateway", "10.77.0.1", "--gateway", "10.77.0.9"}, "at most one");
  expect_refused({"run", "--frobnicate"}, "frobnicate");
  expect_refused({}, "no command is given; there are test, run, show");
  expect_refused({"tset", "--", "true"}, "'tset' is no command; there are test, run, show");
  expect_refused({"show", "weather"}, "weather");
  expect_refused({"connect", "nowhere", "80"}, "nowhere");
  expect_refused({"connect", "10.0.0.1", "0"}, "0");
}

TEST(CommandLine, CongestionControlIsChosen) {
  using stack::tcp::CongestionAlgorithm;
  EXPECT_EQ(accepted({"run"}).test.run.node.tcp_congestion, CongestionAlgorithm::Cubic);
  EXPECT_EQ(accepted({"run", "--congestion", "cubic"}).test.run.node.tcp_congestion, CongestionAlgorithm::Cubic);
  EXPECT_EQ(accepted({"test", "--congestion=newreno", "--", "true"}).test.run.node.tcp_congestion,
            CongestionAlgorithm::NewReno);
}

TEST(CommandLine, ADriverThatHangsEndsATestAndNotADaemon) {
  EXPECT_EQ(accepted({"test", "--", "true"}).test.run.on_hang, OnHang::Stop);
  EXPECT_EQ(accepted({"run"}).test.run.on_hang, OnHang::Report);
  EXPECT_EQ(accepted({"test", "--on-hang", "report", "--", "true"}).test.run.on_hang, OnHang::Report);
  EXPECT_EQ(accepted({"run", "--on-hang=stop"}).test.run.on_hang, OnHang::Stop);
}

TEST(CommandLine, OneFamilyAloneKeepsTheMatchingHostDefault) {
  const auto run = accepted({"run", "--address", "fd77::9/64"}).test.run;
  ASSERT_EQ(run.node.host_addresses.size(), 1u);
  EXPECT_EQ(run.node.host_addresses[0].address.to_string(), "fd77::1");
}

TEST(CommandLine, HelpIsThereForEveryCommand) {
  for (const Arguments& arguments : {Arguments{"--help"},
                                     {"test", "--help"},
                                     {"run", "--help"},
                                     {"show", "--help"},
                                     {"filter", "--help"},
                                     {"filter", "add", "--help"},
                                     {"filter", "delete", "--help"},
                                     {"driver", "--help"},
                                     {"driver", "load", "--help"},
                                     {"trace", "--help"},
                                     {"connect", "--help"}}) {
    const auto result = parse_command_line(arguments);
    const auto* end = std::get_if<EndEarly>(&result);
    ASSERT_NE(end, nullptr);
    EXPECT_EQ(end->code, 0);
    EXPECT_NE(end->text.find("Usage"), std::string::npos);
  }
}

TEST(CommandLine, ClientCommands) {
  auto line = accepted({"show", "flows", "--json"});
  EXPECT_EQ(line.command, Command::Show);
  EXPECT_EQ(line.client.topic, "flows");
  EXPECT_TRUE(line.client.json);
  line = accepted({"filter", "add", "--layer", "INBOUND_TRANSPORT_V4", "--condition", "IP_REMOTE_PORT=80",
                   "--condition", "IP_PROTOCOL=6", "--weight", "7", "--control", "/run/x"});
  EXPECT_EQ(line.command, Command::FilterAdd);
  EXPECT_EQ(line.client.conditions.size(), 2u);
  EXPECT_EQ(line.client.weight, 7u);
  EXPECT_EQ(line.client.control_path, "/run/x");
  EXPECT_EQ(accepted({"filter", "delete", "12"}).client.filter_id, 12u);
  line = accepted({"driver", "load", "passthrough", "--param", "mode=naive"});
  EXPECT_EQ(line.command, Command::DriverLoad);
  EXPECT_EQ(line.client.parameters[0], (DriverParameter{"passthrough", "mode", "naive"}));
  line = accepted({"driver", "load", "passthrough", "--param", "passthrough:mode=naive"});
  EXPECT_EQ(line.client.parameters[0], (DriverParameter{"passthrough", "mode", "naive"}));
  expect_refused({"driver", "load", "passthrough", "--param", "mode"}, "DRIVER:VALUE=DATA");
  EXPECT_EQ(accepted({"driver", "list"}).command, Command::DriverList);
  EXPECT_EQ(accepted({"trace", "--format", "dx", "--count", "3"}).client.count, 3u);
  EXPECT_EQ(accepted({"connect", "fd77::1", "5001"}).client.port, 5001);
  expect_refused({"filter", "add", "--layer", "X", "--callout", "c"}, "go together");
}

TEST(CommandLine, AParameterIsForTheDriverThatIsLoaded) {
  const std::vector<DriverParameter> wanted{{"tally", "reinject", "7"}};
  for (const char* driver : {"tally", "tally.so", "./tally.so", "/some.where/tally.so"})
    for (const char* parameter : {"reinject=7", "tally:reinject=7"})
      EXPECT_EQ(accepted({"driver", "load", driver, "--param", parameter}).client.parameters, wanted)
          << driver << " " << parameter;
  expect_refused(
      {"driver", "load", "./tally.so", "--param", "passthrough:mode=naive"},
      "is for driver 'passthrough', and 'tally' is loaded; write mode=naive\nTry 'wfptap driver load --help'");
}

TEST(CommandLine, ADriverIsNamedOnce) {
  expect_refused({"test", "passthrough", "passthrough", "--", "true"}, "driver 'passthrough' is named twice");
  expect_refused({"run", "--driver", "a/tally.so", "--driver", "tally"}, "driver 'tally' is named twice");
}

std::string help(const Arguments& arguments) {
  auto result = parse_command_line(arguments);
  auto* end = std::get_if<EndEarly>(&result);
  return end != nullptr ? end->text : "";
}

TEST(CommandLine, EachCommandTellsItsOwnExitCodes) {
  EXPECT_NE(help({"test", "--help"}).find("124 --timeout ran out"), std::string::npos);
  for (const Arguments& client :
       {Arguments{"show"}, {"filter"}, {"filter", "add"}, {"driver", "load"}, {"trace"}, {"connect"}, {"run"}}) {
    auto arguments = client;
    arguments.push_back("--help");
    const auto text = help(arguments);
    EXPECT_EQ(text.find("124"), std::string::npos) << text;
    EXPECT_EQ(text.find("last line"), std::string::npos) << text;
    EXPECT_NE(text.find("Exit codes: 0 "), std::string::npos) << text;
  }
  EXPECT_EQ(help({"--help"}).find("124"), std::string::npos);
}

TEST(CommandLine, HelpTellsWhatANumberMeans) {
  EXPECT_NE(help({"trace", "--help"}).find("0: never"), std::string::npos);
  EXPECT_NE(help({"test", "--help"}).find("without unit is in ms"), std::string::npos);
}

TEST(CommandLine, AMistakeLeadsToTheHelpOfTheInnerCommand) {
  expect_refused({"filter", "add", "--layer", "X", "--action", "drop"}, "Try 'wfptap filter add --help'.");
  expect_refused({"driver", "load"}, "Try 'wfptap driver load --help'.");
  expect_refused({"filter", "frobnicate"}, "Try 'wfptap filter --help'.");
}

class ConfigFile : public testing::Test {
 protected:
  std::string write(const std::string& text) {
    path_ =
        (std::filesystem::temp_directory_path() / ("wfptap-config-" + std::to_string(getpid()) + ".toml")).string();
    std::ofstream(path_) << text;
    return path_;
  }
  ~ConfigFile() override { std::remove(path_.c_str()); }
  std::string path_;
};

TEST_F(ConfigFile, HasTheOptionsUnderTheirNames) {
  const auto file = write(
      "tap = 'wfp7'\ntun = true\nmtu = 9000\naddress = ['10.9.0.2/24']\nhost-address = ['10.9.0.1/24']\n"
      "congestion = 'newreno'\ndriver = ['passthrough']\n[param.passthrough]\nmode = 'robust'\ndepth = 64\n");
  const auto run = accepted({"run", "--config", file}).test.run;
  EXPECT_EQ(run.node.device, "wfp7");
  EXPECT_TRUE(run.node.tun);
  EXPECT_EQ(run.node.mtu, 9000u);
  EXPECT_EQ(run.node.tcp_congestion, stack::tcp::CongestionAlgorithm::NewReno);
  EXPECT_EQ(run.drivers, Arguments{"passthrough"});
  EXPECT_EQ(run.parameters.size(), 2u);
}

TEST_F(ConfigFile, CommandLineWins) {
  const auto file = write("mtu = 9000\nservice = ['http']\n");
  const auto run = accepted({"run", "--config=" + file, "--mtu", "1400", "--service", "echo"}).test.run;
  EXPECT_EQ(run.node.mtu, 1400u);
  EXPECT_EQ(run.services, (std::vector<ServiceOption>{{"echo", 7}}));
}

TEST_F(ConfigFile, MistakesNameThePlace) {
  expect_refused({"run", "--config", write("frob = 1\n")}, "'frob' is no option");
  expect_refused({"run", "--config", write("mtu = \n")}, ":1:");
  expect_refused({"run", "--config", write("congestion = true\n")}, "'true' is neither cubic nor newreno");
  expect_refused({"run", "--config", write("[mtu]\nx = 1\n")}, "no plain value");
  expect_refused({"run", "--config", "/nonexistent/x.toml"}, "No such file");
}

}  // namespace
}  // namespace app
