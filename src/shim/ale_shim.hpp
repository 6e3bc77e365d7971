// Application layer enforcement: RESOURCE_ASSIGNMENT (bind), AUTH_LISTEN, AUTH_CONNECT, AUTH_RECV_ACCEPT and
// FLOW_ESTABLISHED, V4 and V6. Asked once an operation or a flow.
//
// A flow comes into being before its authorization is asked for, because callouts are shown its handle then; it ends
// at once when the answer is not to allow, else when the stack forgets the conversation. An operation that a callout
// pended waits under a ticket; FwpsCompleteOperation0 ends in wfp::Host::resume() with it. The flow of a pended connect
// waits with it, because its reauthorization is about the same conversation; it ends when the stack, resumed, has not
// asked again. Processor's thread only.
#pragma once

#include <map>

#include "src/shim/classifier.hpp"
#include "wfp/ale/pend.hpp"
#include "wfp/flow/flows.hpp"

namespace shim {

class AleShim {
 public:
  // All outlive the shim.
  AleShim(Classifier& classifier, wfp::flow::Flows& flows, wfp::ale::Pends& pends)
      : classifier_(classifier), flows_(flows), pends_(pends) {}
  ~AleShim();
  AleShim(const AleShim&) = delete;
  AleShim& operator=(const AleShim&) = delete;

  stack::Authorization bind(const stack::Operation& operation);
  stack::Authorization listen(const stack::Operation& operation);
  // On Deny and Later, `packet` is empty afterwards.
  stack::Authorization connect(const stack::Operation& operation, stack::Packet* packet);
  stack::Authorization accept(const stack::Operation& operation, stack::Packet& packet);
  bool established(const stack::Operation& operation, stack::Packet* packet);
  void flow_ended(stack::FlowTag flow) { flows_.end(flow); }
  // After the stack was told to go on with the operation of this ticket.
  void on_resumed(stack::Ticket ticket);

 private:
  // A question that may be answered later.
  struct Request {
    LayerPair pair;
    const stack::Operation& operation;
    Facts facts;
    stack::Packet* packet;
    bool has_flow;
  };
  stack::Authorization ask(const Request& request);
  std::uint64_t take_flow(const stack::Operation& operation);  // the one that waited, or a new one; 0: no room
  stack::Authorization classify(const Request& request, std::uint64_t flow);
  void drop(stack::Packet* packet, const Classifier::Question& question, const wfp::engine::ClassifyResult& result);

  Classifier& classifier_;
  wfp::flow::Flows& flows_;
  wfp::ale::Pends& pends_;
  std::map<stack::Ticket, std::uint64_t> waiting_;  // flows of pended connects; at most wfp::ale::kMaxPends
};

}  // namespace shim
