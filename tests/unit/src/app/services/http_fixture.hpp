// The http service on a network in memory.
#pragma once

#include "src/app/services/http_service.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/src/app/services/fake_network.hpp"

namespace app::services {

class Http : public testing::Test {
 protected:
  Http() {
    std::string error;
    EXPECT_TRUE(service_.start(error)) << error;
  }
  std::string ask(const std::string& request) {
    auto wire = network_.accept(80);
    network_.send(*wire, request);
    return network_.take(*wire);
  }
  static std::string body_of(const std::string& response) {
    const auto end = response.find("\r\n\r\n");
    return end == std::string::npos ? "" : response.substr(end + 4);
  }
  static std::string counted(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i % 251);
    return bytes;
  }
  FakeNetwork network_;
  HttpService service_{80, network_, default_owner("http")};
};

}  // namespace app::services
