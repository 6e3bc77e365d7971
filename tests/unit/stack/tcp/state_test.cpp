// States and their transitions (RFC 9293 figure 5).
#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

TEST(State, TransitionsOfFigure5) {
  EXPECT_TRUE(is_legal(State::Closed, State::SynSent));
  EXPECT_TRUE(is_legal(State::SynSent, State::SynReceived));
  EXPECT_TRUE(is_legal(State::FinWait1, State::TimeWait));
  EXPECT_TRUE(is_legal(State::CloseWait, State::LastAck));
  EXPECT_FALSE(is_legal(State::Established, State::TimeWait));
  EXPECT_FALSE(is_legal(State::TimeWait, State::Established));
  EXPECT_FALSE(is_legal(State::CloseWait, State::FinWait1));
  for (int s = 0; s < static_cast<int>(kStateCount); ++s) EXPECT_TRUE(is_legal(static_cast<State>(s), State::Closed));
  EXPECT_STREQ(name_of(State::SynReceived), "SYN_RCVD");
}

}  // namespace
}  // namespace stack::tcp::test
